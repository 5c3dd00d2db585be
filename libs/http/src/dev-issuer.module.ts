import type { DynamicModule } from '@nestjs/common';
import { DevIssuer } from './dev-issuer.js';
import { DEV_PERMISSIONS, DevTokenController } from './dev-token.controller.js';

/** `POST /dev/token`, which gives a token to whoever asks. Not for production: leave the module out there. */
export class DevIssuerModule {
  /** @param permissions those of a token when nobody says which */
  static forRoot(issuer: DevIssuer, permissions: readonly string[]): DynamicModule {
    return {
      module: DevIssuerModule,
      controllers: [DevTokenController],
      providers: [{ provide: DevIssuer, useValue: issuer }, { provide: DEV_PERMISSIONS, useValue: permissions }],
    };
  }
}
