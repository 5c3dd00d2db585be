import { EntitySchema } from 'typeorm';
import { tenantId } from '../../shared/columns.js';
import { Reservation } from '../models/reservation.js';

export const ReservationSchema = new EntitySchema<Reservation>({
  name: 'Reservation',
  target: Reservation,
  schema: 'inventory',
  tableName: 'reservations',
  columns: {
    tenantId: tenantId('reservations_pkey'),
    id: { type: 'uuid', primary: true, primaryKeyConstraintName: 'reservations_pkey' },
    status: { type: 'text' },
    lines: { type: 'jsonb' },
    version: { type: 'int' },
  },
});
