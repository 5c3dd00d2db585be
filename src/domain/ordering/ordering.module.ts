import { Clock, SystemClock } from '@nestbox/kernel';
import { ContextModule } from '@nestbox/messaging';
import { CancelOrderHandler } from './interactors/cancel-order.js';
import { ConfirmOrderWhenPaymentAuthorised } from './interactors/confirm-order-when-payment-authorised.js';
import { GetOrderHandler } from './interactors/get-order.js';
import { ListOrdersHandler } from './interactors/list-orders.js';
import { PlaceOrderHandler } from './interactors/place-order.js';
import { RejectOrderWhenPaymentDeclined } from './interactors/reject-order-when-payment-declined.js';
import { RejectOrderWhenStockRejected } from './interactors/reject-order-when-stock-rejected.js';
import { CreateOrders } from './migrations/create-orders.js';
import { GiveOrdersToTenants } from './migrations/give-orders-to-tenants.js';
import { DuplicateReference, InvalidOrderLine, OrderNotCancellable, OrderNotFound, OrderTooLarge, OrderWithoutLines } from './models/order.errors.js';
import { OrderCancelled, OrderConfirmed, OrderPlaced, OrderRejected } from './models/order.events.js';
import { OrderSchema } from './repositories/order.schema.js';
import { Orders } from './repositories/orders.js';

/** Takes orders and follows them until they are confirmed, rejected or cancelled. */
@ContextModule({
  name: 'ordering',
  entities: [OrderSchema],
  migrations: [CreateOrders, GiveOrdersToTenants],
  repositories: [Orders],
  commands: [PlaceOrderHandler, CancelOrderHandler],
  queries: [GetOrderHandler, ListOrdersHandler],
  publishes: [OrderPlaced, OrderConfirmed, OrderRejected, OrderCancelled],
  errors: [DuplicateReference, InvalidOrderLine, OrderNotCancellable, OrderNotFound, OrderTooLarge, OrderWithoutLines],
  subscribers: [ConfirmOrderWhenPaymentAuthorised, RejectOrderWhenPaymentDeclined, RejectOrderWhenStockRejected],
  providers: [{ provide: Clock, useClass: SystemClock }],
})
export class OrderingModule {}
