import { AccountsController } from './billing/accounts.controller.js';
import { ProductsController } from './inventory/products.controller.js';
import { OrdersController } from './ordering/orders.controller.js';
import { SalesController } from './reporting/sales.controller.js';

/** The whole HTTP API. Which contexts are in the process makes no difference to it. */
export const controllers = [OrdersController, ProductsController, AccountsController, SalesController];
