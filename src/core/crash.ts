import { Logger } from '@nestjs/common';

/** Logs an error that nobody caught, with its stack, and ends the process: its state is not to be trusted any more. */
export function logCrashes(): void {
  const logger = new Logger('process');
  // Rejections that nobody handles arrive here too.
  process.on('uncaughtException', (error) => {
    logger.fatal(error);
    process.exit(1);
  });
}
