import { EntitySchema } from 'typeorm';
import { exactInteger, tenantId } from '../../shared/columns.js';
import { Product } from '../models/product.js';

export const ProductSchema = new EntitySchema<Product>({
  name: 'Product',
  target: Product,
  schema: 'inventory',
  tableName: 'products',
  columns: {
    tenantId: tenantId('products_pkey'),
    id: { type: 'text', primary: true, primaryKeyConstraintName: 'products_pkey' },
    name: { type: 'text' },
    onHand: { type: 'bigint', name: 'on_hand', transformer: exactInteger },
    reserved: { type: 'bigint', transformer: exactInteger },
    version: { type: 'int' },
  },
});
