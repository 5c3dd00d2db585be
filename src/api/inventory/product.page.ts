import { PageOf } from '@nestbox/http';
import { ProductView } from '../../domain/inventory/schemas/product.view.js';

export class ProductPage extends PageOf(ProductView) {}
