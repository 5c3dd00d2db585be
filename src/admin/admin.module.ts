import type { DynamicModule } from '@nestjs/common';
import { ADMIN_TOKEN, AdminTokenGuard } from './admin-token.guard.js';
import { EventsController } from './events.controller.js';
import { ReadersController } from './readers.controller.js';
import { TroubleController } from './trouble.controller.js';

/** The routes under `/admin`. Without a token there is no such module, and nothing behind the routes. */
export class AdminModule {
  static forRoot(token: string): DynamicModule {
    return {
      module: AdminModule,
      controllers: [TroubleController, ReadersController, EventsController],
      providers: [AdminTokenGuard, { provide: ADMIN_TOKEN, useValue: token }],
    };
  }
}
