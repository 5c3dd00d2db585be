import type { Benchmark } from '../benchmark.js';
import { createApplicationDatabase } from '../orders.js';
import { ProjectCopy } from '../project-copy.js';

export const start: Benchmark = {
  name: 'start',
  measures: 'from the command until /health/ready answers, everything installed and built, the data there; `npm start` also starts its Postgres',
  units: { ready: 'ms' },
  rounds: 5,
  needsPeers: true,
  comparisons: [{ subject: 'npm start', metric: 'ready', at: 'most', target: 3_000 }],
  async prepare(environment) {
    const databaseUrl = await createApplicationDatabase(environment);
    const project = new ProjectCopy();
    try {
      // The first one builds what the copy makes look new, and creates the data.
      await project.start();
    } catch (error) {
      project.remove();
      throw error;
    }
    const typeorm = async () => {
      const begun = performance.now();
      const server = await environment.startPeer('peers/orders-with-typeorm', databaseUrl);
      const { status } = await fetch(`${server.url}/health/ready`);
      const ready = performance.now() - begun;
      await server.stop();
      if (status !== 200) throw new Error(`Its health was answered ${status}.`);
      return { ready };
    };
    return {
      contestants: [
        { name: 'npm start', round: async () => ({ ready: await project.start() }) },
        { name: 'Nest and TypeORM, its Postgres running', round: typeorm },
      ],
      close: async () => project.remove(),
    };
  },
};
