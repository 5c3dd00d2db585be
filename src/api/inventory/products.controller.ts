import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, ApiProblems, httpProblems, IfMatch, Paged, type Pages, Versioned } from '@nestbox/http';
import { GetProduct } from '../../domain/inventory/interactors/get-product.js';
import { ListProducts } from '../../domain/inventory/interactors/list-products.js';
import { ReceiveStock } from '../../domain/inventory/interactors/receive-stock.js';
import { RegisterProduct } from '../../domain/inventory/interactors/register-product.js';
import { ProductAlreadyRegistered, ProductNotFound } from '../../domain/inventory/models/product.errors.js';
import { ReceiveStockBody, RegisterProductBody } from '../../domain/inventory/schemas/product.bodies.js';
import { ProductState, ProductView, RegisteredProduct } from '../../domain/inventory/schemas/product.view.js';
import type { HttpResponse } from '../http-response.js';
import { Sends } from '../sends.js';
import { ProductPage } from './product.page.js';
import { ProductPath, ProductQuery } from './product.params.js';

@ApiTags('products')
@Controller('v1/products')
export class ProductsController {
  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  @Post()
  @Sends(RegisterProduct)
  @ApiOperation({ operationId: 'registerProduct', summary: 'Register a product', description: 'It has no stock yet.' })
  @ApiCreatedResponse({ description: 'The product is registered.', type: RegisteredProduct, headers: { Location: { description: 'Where the product can be read.', schema: { type: 'string' } } } })
  @ApiProblems(ProductAlreadyRegistered)
  async register(@Body() body: RegisterProductBody, @Res({ passthrough: true }) response: HttpResponse): Promise<RegisteredProduct> {
    const product = await this.commands.execute(new RegisterProduct(body.id, body.name));
    response.header('location', `/v1/products/${product.id}`);
    return product;
  }

  @Get()
  @Sends(ListProducts)
  @ApiOperation({ operationId: 'listProducts', summary: 'List products, by id', description: 'With their stock, page by page.' })
  @ApiPage({ description: 'One page of products.', type: ProductPage })
  @ApiProblems(httpProblems.invalidCursor)
  list(@Query() query: ProductQuery, @Paged('listProducts') pages: Pages): Promise<ProductPage> {
    return pages.answer(query, ({ limit, after }) => this.queries.execute(new ListProducts(limit, after)));
  }

  @Get(':id')
  @Sends(GetProduct)
  @Versioned()
  @ApiOperation({ operationId: 'getProduct', summary: 'Read a product and its stock', description: 'What is on hand, and what of it is promised to orders already.' })
  @ApiOkResponse({ description: 'The product.', type: ProductView })
  @ApiProblems(ProductNotFound)
  get(@Param() { id }: ProductPath): Promise<ProductView> {
    return this.queries.execute(new GetProduct(id));
  }

  @Post(':id/receipts')
  @HttpCode(200)
  @Sends(ReceiveStock)
  @ApiOperation({ operationId: 'receiveStock', summary: 'Receive stock', description: 'Adds to what is on hand; a repeated request adds again.' })
  @ApiOkResponse({ description: 'The product with its new stock.', type: ProductState })
  @ApiProblems(ProductNotFound)
  receive(@Param() { id }: ProductPath, @Body() { quantity }: ReceiveStockBody, @IfMatch() ifVersion?: readonly number[]): Promise<ProductState> {
    return this.commands.execute(new ReceiveStock(id, quantity, ifVersion));
  }
}
