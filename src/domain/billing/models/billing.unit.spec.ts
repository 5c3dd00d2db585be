import { Money } from '@nestbox/kernel';
import { given, when } from '@nestbox/testing';
import { describe, expect, it } from 'vitest';
import { Account } from './account.js';
import { PaymentAuthorised, PaymentDeclined, PaymentVoided } from './charge.events.js';
import { Charge } from './charge.js';

const usd = (amount: number) => Money.of(amount);

/** An account with a limit on which something has been charged. */
function accountWith(limit: number | null, charged = 0): Account {
  const account = Account.open('VINET');
  account.limitTo(limit);
  account.charge(usd(charged));
  return account;
}

describe('Charge', () => {
  it.each([
    ['without a limit', accountWith(null), 5_000],
    ['up to the limit exactly', accountWith(10_000, 4_000), 6_000],
    ['of nothing, even with a limit of nothing', accountWith(0), 0],
  ])('is authorised %s', (_, account, amount) => {
    const before = account.charged.amount;
    when(() => Charge.request('o-1', usd(amount), account)).thenRaises(new PaymentAuthorised('o-1', 'VINET', { amount, currency: 'USD' }));
    expect(account.charged).toEqual(usd(before + amount));
  });

  it.each([
    ['one cent above the limit', accountWith(10_000, 4_000), 6_001],
    ['on an account above its limit', accountWith(100, 200), 1],
    ['beyond what can be counted exactly', accountWith(null, Number.MAX_SAFE_INTEGER), 1],
  ])('is declined %s, and nothing is charged', (_, account, amount) => {
    const before = account.charged;
    when(() => Charge.request('o-1', usd(amount), account)).thenRaises(new PaymentDeclined('o-1', 'VINET', 'credit-limit'));
    expect(account.charged).toEqual(before);
  });

  it('is taken back once', () => {
    const account = accountWith(null, 1_000);
    const request = () => Charge.request('o-1', usd(500), account);
    const voided = given(request).when((charge) => charge.void(account)).thenRaises(new PaymentVoided('o-1', 'VINET', { amount: 500, currency: 'USD' }));
    when(() => voided.void(account)).thenRaises();
    expect(account.charged).toEqual(usd(1_000));
  });

  it('leaves the account alone when it was declined or called off', () => {
    const account = accountWith(100, 50);
    given(() => Charge.request('o-1', usd(51), account)).when((charge) => charge.void(account)).thenRaises();
    given(() => Charge.calledOff('o-2', 'VINET')).when((charge) => charge.void(account)).thenRaises();
    expect(account.charged).toEqual(usd(50));
  });
});

describe('Account', () => {
  it('has no limit until one is set, and can lose it again', () => {
    const account = Account.open('VINET');
    expect([account.creditLimit, account.available]).toEqual([null, null]);
    account.limitTo(100);
    account.limitTo(null);
    expect(account.creditLimit).toBeNull();
  });

  it('may owe more than a limit that was set later', () => {
    expect(accountWith(100, 150).available).toEqual(usd(-50));
  });
});
