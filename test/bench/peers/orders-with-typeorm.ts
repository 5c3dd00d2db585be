import 'reflect-metadata';
import { Body, Controller, Get, Inject, Module, type OnApplicationShutdown, Post, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Command, CommandBus, CommandHandler, CqrsModule } from '@nestjs/cqrs';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min, ValidateNested } from 'class-validator';
import { Column, DataSource, Entity, PrimaryColumn, PrimaryGeneratedColumn } from 'typeorm';
import { serve } from '../child.js';
import { placed } from './order.js';
import { usage } from './usage.js';

const IDENTIFIER = /^[A-Za-z0-9._-]{1,64}$/;

class LineDto {
  @Matches(IDENTIFIER)
  productId!: string;

  @IsInt()
  @Min(1)
  @Max(1_000_000)
  quantity!: number;

  @IsInt()
  @Min(0)
  unitPrice!: number;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100)
  discountPercent?: number;
}

class PlaceOrderDto {
  @Matches(IDENTIFIER)
  customerId!: string;

  @IsOptional()
  @IsString()
  @MaxLength(100)
  reference?: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ValidateNested({ each: true })
  @Type(() => LineDto)
  lines!: LineDto[];
}

@Entity({ schema: 'ordering', name: 'orders' })
class OrderEntity {
  @PrimaryColumn({ type: 'text', name: 'tenant_id' }) tenantId!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column({ type: 'text', name: 'customer_id' }) customerId!: string;
  @Column({ type: 'text', nullable: true }) reference!: string | null;
  @Column('text') status!: string;
  @Column({ type: 'text', nullable: true }) reason!: string | null;
  @Column('jsonb') lines!: object[];
  @Column({ type: 'bigint', name: 'total_amount' }) totalAmount!: number;
  @Column('text') currency!: string;
  @Column('jsonb') history!: object[];
  @Column('int') version!: number;
}

@Entity({ schema: 'ordering', name: 'outbox' })
class OutboxEntity {
  @PrimaryGeneratedColumn('identity', { type: 'bigint' }) position!: string;
  @Column('uuid') id!: string;
  @Column({ type: 'text', name: 'tenant_id' }) tenantId!: string;
  @Column('smallint') lane!: number;
  @Column({ type: 'text', name: 'aggregate_type' }) aggregateType!: string;
  @Column({ type: 'text', name: 'aggregate_id' }) aggregateId!: string;
  @Column({ type: 'bigint', name: 'aggregate_version' }) aggregateVersion!: number;
  @Column('text') type!: string;
  @Column({ type: 'int', name: 'schema_version' }) schemaVersion!: number;
  @Column('jsonb') payload!: object;
  @Column('jsonb') headers!: object;
}

class PlaceOrder extends Command<{ id: string; status: string }> {
  constructor(readonly order: PlaceOrderDto) {
    super();
  }
}

@CommandHandler(PlaceOrder)
class PlaceOrderHandler {
  constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

  async execute({ order: asked }: PlaceOrder): Promise<{ id: string; status: string }> {
    const { order, event } = placed(asked);
    await this.dataSource.transaction(async (manager) => {
      await manager.save(manager.create(OrderEntity, order));
      await manager.save(manager.create(OutboxEntity, event));
    });
    return { id: order.id, status: order.status };
  }
}

@Controller()
class OrdersController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Post('v1/orders')
  place(@Body() body: PlaceOrderDto): Promise<{ id: string; status: string }> {
    return this.commands.execute(new PlaceOrder(body));
  }

  @Get('health/ready')
  ready(): { status: string } {
    return { status: 'ok' };
  }
}

let app: NestFastifyApplication | undefined;

/** What the documentation of Nest shows: a DTO for class-validator, a command handler, entities that TypeORM saves. Nobody is asked who they are. */
serve(
  {
    async start({ databaseUrl, port = 0 }: { databaseUrl: string; port?: number }): Promise<string> {
      @Module({
        imports: [CqrsModule.forRoot()],
        controllers: [OrdersController],
        providers: [PlaceOrderHandler, { provide: DataSource, useFactory: () => new DataSource({ type: 'postgres', url: databaseUrl, entities: [OrderEntity, OutboxEntity] }).initialize() }],
      })
      class OrdersApplication implements OnApplicationShutdown {
        constructor(@Inject(DataSource) private readonly dataSource: DataSource) {}

        onApplicationShutdown(): Promise<void> {
          return this.dataSource.destroy();
        }
      }
      app = await NestFactory.create<NestFastifyApplication>(OrdersApplication, new FastifyAdapter(), { logger: ['error', 'warn'] });
      app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true }));
      await app.listen(port, '127.0.0.1');
      return app.getUrl();
    },
    usage,
  },
  async () => app?.close(),
);
