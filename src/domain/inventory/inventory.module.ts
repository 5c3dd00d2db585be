import { ContextModule } from '@nestbox/messaging';
import { GetProductHandler } from './interactors/get-product.js';
import { ListProductsHandler } from './interactors/list-products.js';
import { ReceiveStockHandler } from './interactors/receive-stock.js';
import { RegisterProductHandler } from './interactors/register-product.js';
import { ReleaseStockWhenOrderFallsThrough } from './interactors/release-stock-when-order-falls-through.js';
import { ReserveStockWhenOrderPlaced } from './interactors/reserve-stock-when-order-placed.js';
import { CreateStock } from './migrations/create-stock.js';
import { GiveStockToTenants } from './migrations/give-stock-to-tenants.js';
import { ProductAlreadyRegistered, ProductNotFound, StockBelowZero } from './models/product.errors.js';
import { StockRejected, StockReleased, StockReserved } from './models/reservation.events.js';
import { ProductSchema } from './repositories/product.schema.js';
import { Products } from './repositories/products.js';
import { ReservationSchema } from './repositories/reservation.schema.js';
import { Reservations } from './repositories/reservations.js';

/** Knows what is in stock and promises it to orders, all lines together or none. */
@ContextModule({
  name: 'inventory',
  entities: [ReservationSchema, ProductSchema],
  migrations: [CreateStock, GiveStockToTenants],
  repositories: [Reservations, Products],
  commands: [RegisterProductHandler, ReceiveStockHandler],
  queries: [GetProductHandler, ListProductsHandler],
  publishes: [StockReserved, StockRejected, StockReleased],
  errors: [ProductAlreadyRegistered, ProductNotFound, StockBelowZero],
  subscribers: [ReserveStockWhenOrderPlaced, ReleaseStockWhenOrderFallsThrough],
})
export class InventoryModule {}
