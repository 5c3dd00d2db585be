import { beforeEach, describe, expect, it } from 'vitest';
import { someEvents } from './fixture.spec.js';
import { Flight } from './relay-flight.js';
import { type Answered, NotPublished } from './stream-publisher.js';

describe('a flight', () => {
  const events = someEvents(20);
  let sent: { n: number; expected: number; before: string | undefined; answered: Answered }[];
  let empties: number;
  let flight: Flight;

  beforeEach(() => {
    sent = [];
    empties = 0;
    flight = new Flight({
      sequence: 100, n: 0, window: 4,
      publish: ({ n }, expected, before, answered) => {
        sent.push({ n, expected, before, answered });
        return `id ${n}`;
      },
      onEmpty: () => empties++,
    });
  });

  const send = (...numbers: number[]) => numbers.forEach((n) => flight.send(events[n - 1]!));
  const store = (n: number) => sent[n - 1]!.answered({ seq: 100 + n });

  it('expects of each event the sequence and the message id of the one before, as it was sent', () => {
    send(1, 2, 3);
    expect(sent.map(({ n, expected, before }) => [n, expected, before])).toEqual([[1, 100, undefined], [2, 101, 'id 1'], [3, 102, 'id 2']]);
  });

  it('has room again when half of its window is answered, and tells when nothing is due any more', async () => {
    send(1, 2, 3, 4);
    expect([flight.full, flight.empty, flight.confirmed]).toEqual([true, false, 0]);
    const told: string[] = [];
    const waiting = flight.room().then(() => told.push('room'));
    store(1);
    await Promise.resolve();
    expect([told, flight.full, flight.confirmed]).toEqual([[], false, 1]);
    store(2);
    await waiting;
    expect(told).toEqual(['room']);
    const settled = flight.settled();
    store(3);
    expect(empties).toBe(0);
    store(4);
    await settled;
    expect([flight.empty, empties, flight.confirmed]).toEqual([true, 1, 4]);
  });

  it('is over with the first refusal, and keeps that of the earliest event, whatever comes first', async () => {
    send(1, 2, 3);
    sent[2]!.answered(new NotPublished('fenced', 'wrong last sequence'));
    sent[1]!.answered(new NotPublished('other', 'no answer'));
    store(1);
    await flight.settled();
    expect([flight.over, flight.refusal?.kind, flight.refusal?.event.n, flight.confirmed]).toEqual([true, 'other', 2, 1]);
  });

  it.each([{ seq: 101, duplicate: true }, { seq: 107 }])('takes an event for refused that the stream has elsewhere: %j', (answer) => {
    send(1);
    sent[0]!.answered(answer);
    expect([flight.refusal?.kind, flight.confirmed]).toEqual(['duplicate', 0]);
  });

  it('waits for no answer once it is abandoned', async () => {
    send(1, 2, 3, 4);
    const waiting = flight.settled();
    flight.abandon();
    await waiting;
    await flight.room();
    expect([flight.over, flight.refusal]).toEqual([true, undefined]);
  });
});
