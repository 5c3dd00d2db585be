import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import type { SettingValues } from '@nestbox/kernel';
import { HealthRegistry } from '@nestbox/ops';
import type { httpSettings } from './http.settings.js';

/**
 * Ends the process in order on SIGINT and SIGTERM: readiness says no, requests in progress finish, the engine gives
 * its lanes back, connections close. What takes longer than `SHUTDOWN_GRACE_MS` is cut off: the database undoes it, and
 * another process goes on.
 */
export function stopOnSignals(app: INestApplication, { SHUTDOWN_DELAY_MS: delayMs, SHUTDOWN_GRACE_MS: graceMs }: SettingValues<typeof httpSettings>): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    app.get(HealthRegistry).leave();
    await sleep(delayMs);
    const deadline = setTimeout(() => {
      process.stderr.write(`Work in progress took longer than SHUTDOWN_GRACE_MS (${graceMs} ms) after ${signal}; the process ends now.\n`);
      process.exit(1);
    }, graceMs);
    try {
      await app.close();
    } catch (error) {
      process.stderr.write(`The shutdown was not clean: ${(error as Error).message}\n`);
      process.exit(1);
    }
    clearTimeout(deadline);
    process.exit(0);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}
