import { Injectable } from '@nestjs/common';
import { AggregateStore, type ContextDatabase, InjectDatabase } from '@nestbox/persistence';
import type { Reservation } from '../models/reservation.js';
import { ReservationSchema } from './reservation.schema.js';

@Injectable()
export class Reservations {
  private readonly store: AggregateStore<Reservation>;

  constructor(@InjectDatabase('inventory') db: ContextDatabase) {
    this.store = new AggregateStore(db, ReservationSchema, { type: 'inventory.reservation' });
  }

  add(reservation: Reservation): void {
    this.store.add(reservation);
  }

  ofOrder(orderId: string): Promise<Reservation | undefined> {
    return this.store.find(orderId);
  }
}
