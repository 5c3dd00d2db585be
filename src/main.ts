import 'reflect-metadata';
import { createApplication } from './core/application.js';
import { banner } from './core/banner.js';
import { stopOnSignals } from './core/shutdown.js';
import { explainStartFailure } from './core/start-failure.js';

try {
  const { app, settings, topology } = await createApplication(process.env);
  stopOnSignals(app, settings.http.SHUTDOWN_GRACE_MS);
  await app.listen(settings.http.PORT, settings.http.HOST);
  process.stdout.write(`${banner(topology, await app.getUrl())}\n`);
} catch (error) {
  process.stderr.write(`${explainStartFailure(error, process.env)}\n`);
  process.exit(1);
}
