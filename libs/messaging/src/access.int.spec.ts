import 'reflect-metadata';
import { Command, CommandBus, CommandHandler, EventsHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Aggregate, asSystem, currentMessage, DomainEvent, type Identity, PUBLIC, withMessage } from '@nestbox/kernel';
import { AggregateStore, type ContextDatabase, InjectDatabase } from '@nestbox/persistence';
import { createTestDatabase, TestApplication, type TestDatabase } from '@nestbox/testing';
import { EntitySchema, type MigrationInterface, type QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContextModule } from './context-module.js';

class Opened extends DomainEvent {
  static readonly type = 'vault.opened';
}

class Vault extends Aggregate {
  constructor(readonly id: string) {
    super();
  }
  open(): void {
    this.raise(new Opened());
  }
}

const VaultSchema = new EntitySchema<Vault>({ name: 'Vault', target: Vault, tableName: 'vault', schema: 'vault', columns: { id: { type: 'text', primary: true }, version: { type: 'int' } } });

class CreateVaults implements MigrationInterface {
  readonly name = 'CreateVaults1795219200000';
  async up(runner: QueryRunner) {
    await runner.query('create table vault.vault (id text constraint vault_pkey primary key, version int not null)');
  }
  async down(runner: QueryRunner) {
    await runner.query('drop table vault.vault');
  }
}

class Open extends Command<void> {
  static readonly type = 'vault.open';
  static readonly permission = 'vault:open';
  constructor(readonly id: string) {
    super();
  }
}

class CountDoors extends Query<number> {
  static readonly type = 'vault.count-doors';
  static readonly permission = PUBLIC;
}

/** A caller may not audit; what is done for a caller may. */
class Audit extends Command<string | undefined> {
  static readonly type = 'vault.audit';
  static readonly permission = 'vault:audit';
}

class Inspect extends Command<string | undefined> {
  static readonly type = 'vault.inspect';
  static readonly permission = 'vault:open';
  constructor(readonly elevated: boolean) {
    super();
  }
}

@CommandHandler(Open)
class OpenHandler {
  private readonly vaults: AggregateStore<Vault>;
  constructor(@InjectDatabase('vault') db: ContextDatabase) {
    this.vaults = new AggregateStore(db, VaultSchema, { type: 'vault.vault' });
  }
  async execute({ id }: Open) {
    const vault = new Vault(id);
    this.vaults.add(vault);
    vault.open();
  }
}

@QueryHandler(CountDoors)
class CountDoorsHandler {
  async execute() {
    return 1;
  }
}

@CommandHandler(Audit)
class AuditHandler {
  async execute() {
    return currentMessage()!.identity?.subject;
  }
}

@CommandHandler(Inspect)
class InspectHandler {
  constructor(private readonly commands: CommandBus) {}
  async execute({ elevated }: Inspect) {
    const audit = () => this.commands.execute(new Audit());
    return elevated ? asSystem(audit) : audit();
  }
}

const seen: (Identity | undefined)[] = [];

@EventsHandler(Opened)
class NoteOpened {
  async handle() {
    seen.push(currentMessage()!.identity);
  }
}

const definition = {
  name: 'vault', entities: [VaultSchema], migrations: [CreateVaults], publishes: [Opened], subscribers: [NoteOpened],
  commands: [OpenHandler, AuditHandler, InspectHandler], queries: [CountDoorsHandler],
};

@ContextModule(definition)
class VaultModule {}

describe('who may ask for a command or query', () => {
  let database: TestDatabase;
  let app: TestApplication;

  beforeAll(async () => {
    database = await createTestDatabase();
    app = await TestApplication.start([VaultModule], { database, access: 'enforced' });
  });
  afterAll(async () => {
    await app?.stop();
    await database?.drop();
  });

  const as = <T>(identity: Identity | undefined, work: () => Promise<T>) => withMessage({ correlationId: 'c', tenantId: 'default', ...(identity && { identity }) }, work);
  const clerk: Identity = { subject: 'ada', permissions: ['vault:open'] };

  it('is whoever has the permission that its class names', async () => {
    await as(clerk, () => app.commands.execute(new Open('a')));
    expect(await app.eventsOf('vault', 'a')).toHaveLength(1);
  });

  it('is nobody whom nobody knows, and nothing is done for them', async () => {
    await expect(as(undefined, () => app.commands.execute(new Open('b')))).rejects.toMatchObject({ kind: 'unauthenticated', code: 'messaging.not-authenticated' });
    await expect(app.commands.execute(new Open('b'))).rejects.toMatchObject({ code: 'messaging.not-authenticated' });
    expect(await app.eventsOf('vault', 'b')).toEqual([]);
  });

  it('is nobody with other permissions, however they look', async () => {
    for (const permissions of [[], ['vault:open:more'], ['vault'], ['vault:*'], ['VAULT:OPEN'], ['']]) {
      await expect(as({ subject: 'eve', permissions }, () => app.commands.execute(new Open('c')))).rejects.toMatchObject({ kind: 'forbidden', code: 'messaging.permission-missing', details: { permission: 'vault:open' } });
    }
    expect(await app.eventsOf('vault', 'c')).toEqual([]);
  });

  it('is everybody when it is public', async () => {
    expect(await as(undefined, () => app.queries.execute(new CountDoors()))).toBe(1);
  });

  it('is the caller, too, when one command calls another, unless it does so as the system', async () => {
    await expect(as(clerk, () => app.commands.execute(new Inspect(false)))).rejects.toMatchObject({ details: { permission: 'vault:audit' } });
    expect(await as(clerk, () => app.commands.execute(new Inspect(true)))).toBe('system');
  });

  it('is the system when an event is handled, whoever has caused it', async () => {
    seen.length = 0;
    await as(clerk, () => app.commands.execute(new Open('d')));
    await app.settled();
    expect(seen).toContainEqual({ subject: 'system', permissions: ['*'] });
    expect(seen).not.toContainEqual(clerk);
  });

  it.each([
    [undefined, /Forgotten does not say who may ask for it[\s\S]*static readonly permission/],
    ['Vault:Open', /asks for the permission "Vault:Open", which breaks the rule/],
  ])('must be said: with %j nothing starts', async (permission, message) => {
    class Forgotten extends Query<void> {
      static readonly type = 'vault.forgotten';
      static readonly permission = permission;
    }
    @QueryHandler(Forgotten)
    class ForgottenHandler {
      async execute() {}
    }
    @ContextModule({ ...definition, queries: [ForgottenHandler] })
    class Careless {}
    await expect(TestApplication.start([Careless], { database, access: 'enforced' })).rejects.toThrow(message as RegExp);
    await (await TestApplication.start([Careless], { database })).stop();
  });
});
