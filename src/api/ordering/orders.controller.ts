import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiPage, ApiProblems, httpProblems, IfMatch, Paged, type Pages, Versioned } from '@nestbox/http';
import { CancelOrder } from '../../domain/ordering/interactors/cancel-order.js';
import { GetOrder } from '../../domain/ordering/interactors/get-order.js';
import { ListOrders } from '../../domain/ordering/interactors/list-orders.js';
import { PlaceOrder } from '../../domain/ordering/interactors/place-order.js';
import { DuplicateReference, OrderNotCancellable, OrderNotFound, OrderTooLarge } from '../../domain/ordering/models/order.errors.js';
import { OrderState, OrderView } from '../../domain/ordering/schemas/order.view.js';
import { PlaceOrderBody } from '../../domain/ordering/schemas/place-order.body.js';
import type { HttpResponse } from '../http-response.js';
import { Sends } from '../sends.js';
import { OrderPage } from './order.page.js';
import { OrderPath, OrderQuery } from './order.params.js';

@ApiTags('orders')
@Controller('v1/orders')
export class OrdersController {
  constructor(private readonly commands: CommandBus, private readonly queries: QueryBus) {}

  @Post()
  @Sends(PlaceOrder)
  @ApiOperation({
    operationId: 'placeOrder',
    summary: 'Place an order',
    description: 'The answer comes at once, with the order placed. Stock and payment follow; read the order to see it confirmed or rejected.',
  })
  @ApiBody({
    type: PlaceOrderBody,
    examples: {
      plain: { summary: 'One line', value: { customerId: 'VINET', lines: [{ productId: 'queso-cabrales', quantity: 12, unitPrice: 1_400 }] } },
      full: {
        summary: 'With a reference and a discount',
        value: { customerId: 'VINET', reference: 'PO-10248', lines: [{ productId: 'queso-cabrales', quantity: 5, unitPrice: 1_400, discountPercent: 5 }] },
      },
    },
  })
  @ApiCreatedResponse({ description: 'The order is placed.', type: OrderState, headers: { Location: { description: 'Where the order can be read.', schema: { type: 'string' } } } })
  @ApiProblems(DuplicateReference, OrderTooLarge)
  async place(@Body() body: PlaceOrderBody, @Res({ passthrough: true }) response: HttpResponse): Promise<OrderState> {
    const order = await this.commands.execute(new PlaceOrder(body.customerId, body.lines, body.reference));
    response.header('location', `/v1/orders/${order.id}`);
    return order;
  }

  @Get()
  @Sends(ListOrders)
  @ApiOperation({ operationId: 'listOrders', summary: 'List orders, newest first', description: 'All of them, or those of a customer or in a state, page by page.' })
  @ApiPage({ description: 'One page of orders.', type: OrderPage })
  @ApiProblems(httpProblems.invalidCursor)
  list(@Query() query: OrderQuery, @Paged('listOrders') pages: Pages): Promise<OrderPage> {
    return pages.answer(query, (position) => this.queries.execute(new ListOrders(position)));
  }

  @Get(':id')
  @Sends(GetOrder)
  @Versioned()
  @ApiOperation({ operationId: 'getOrder', summary: 'Read an order', description: 'With its lines, its total and what has become of it so far.' })
  @ApiOkResponse({ description: 'The order.', type: OrderView })
  @ApiProblems(OrderNotFound)
  get(@Param() { id }: OrderPath): Promise<OrderView> {
    return this.queries.execute(new GetOrder(id));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Sends(CancelOrder)
  @ApiOperation({ operationId: 'cancelOrder', summary: 'Cancel an order that is not confirmed yet', description: 'Cancelling it again changes nothing.' })
  @ApiOkResponse({ description: 'The order is cancelled.', type: OrderState })
  @ApiProblems(OrderNotFound, OrderNotCancellable)
  cancel(@Param() { id }: OrderPath, @IfMatch() ifVersion?: readonly number[]): Promise<OrderState> {
    return this.commands.execute(new CancelOrder(id, ifVersion));
  }
}
