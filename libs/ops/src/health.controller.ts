import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { HealthRegistry } from './health.registry.js';

/** How long a probe may take until it counts as failed: less than whoever asks usually waits. */
const PROBE_TIMEOUT_MS = 2_000;

/** Liveness says that the process runs, whatever else is down; readiness says that it can work. */
@Controller('health')
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly registry: HealthRegistry,
  ) {}

  @Get('live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  @Get('ready')
  @HealthCheck({ swaggerDocumentation: false })
  async ready(): Promise<HealthCheckResult> {
    const { probes, stopping } = this.registry;
    const process = this.indicators.check('process');
    try {
      return await this.health.check([
        () => (stopping ? process.down('is stopping') : process.up()),
        ...probes.map(({ name, probe }) => () => this.indicators.check(name).attempt(() => probe()).withTimeout(PROBE_TIMEOUT_MS)),
      ]);
    } catch (error) {
      throw error instanceof ServiceUnavailableException ? notReady(error.getResponse() as HealthCheckResult) : error;
    }
  }
}

/** The same refusal, with a sentence that names what failed. */
function notReady(result: HealthCheckResult): ServiceUnavailableException {
  const failed = Object.entries(result.error ?? {}).map(([name, facts]) => `${name} ${facts?.['message'] ?? 'is down'}`);
  return new ServiceUnavailableException({ message: `Not ready: ${failed.join('; ')}.`, ...result });
}
