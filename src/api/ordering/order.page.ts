import { PageOf } from '@nestbox/http';
import { OrderView } from '../../domain/ordering/schemas/order.view.js';

export class OrderPage extends PageOf(OrderView) {}
