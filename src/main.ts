import 'reflect-metadata';
import { createApplication } from './core/application.js';
import { banner } from './core/banner.js';
import { logCrashes } from './core/crash.js';
import { environment } from './core/environment.js';
import { stopOnSignals } from './core/shutdown.js';
import { explainStartFailure } from './core/start-failure.js';

const env = environment();
try {
  const { app, settings, topology } = await createApplication(env);
  logCrashes();
  stopOnSignals(app, settings.http);
  try {
    await app.listen(settings.http.PORT, settings.http.HOST);
  } catch (error) {
    // What has started already gives its share of the work back at once.
    await app.close().catch(() => undefined);
    throw error;
  }
  process.stdout.write(`${banner(topology, await app.getUrl(), settings.admin, settings.identity)}\n`);
} catch (error) {
  process.stderr.write(`${explainStartFailure(error, env)}\n`);
  process.exit(1);
}
