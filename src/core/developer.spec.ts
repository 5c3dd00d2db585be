import { randomBytes } from 'node:crypto';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Settings of an application that lets its tests in. */
export const developerSettings = { SERVICE_KEY: randomBytes(32).toString('base64'), DEV_ISSUER: 'true' };

/** The header of a caller, by default of one who may do everything. */
export async function callerHeaders(app: NestFastifyApplication, claims: { readonly subject?: string; readonly tenant?: string; readonly permissions?: readonly string[] } = {}): Promise<{ authorization: string }> {
  const { body } = await app.inject({ method: 'POST', url: '/dev/token', headers: { accept: 'text/plain' }, payload: claims });
  return { authorization: `Bearer ${body}` };
}
