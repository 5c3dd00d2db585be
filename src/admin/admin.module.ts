import type { DynamicModule } from '@nestjs/common';
import { EventsController } from './events.controller.js';
import { OperationsGuard } from './operations.guard.js';
import { ReadersController } from './readers.controller.js';
import { TroubleController } from './trouble.controller.js';

/** The routes under `/admin`. Without an ADMIN_TOKEN there is no such module, and nothing behind the routes. */
export class AdminModule {
  static forRoot(): DynamicModule {
    return {
      module: AdminModule,
      controllers: [TroubleController, ReadersController, EventsController],
      providers: [OperationsGuard],
    };
  }
}
