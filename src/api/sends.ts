import { applyDecorators } from '@nestjs/common';
import { ApiBearerAuth, ApiExtension } from '@nestjs/swagger';
import { PUBLIC } from '@nestbox/kernel';

/** Name of the security scheme in the OpenAPI document. */
export const BEARER_SCHEME = 'bearer';

/** Documents which command or query an operation sends, and by that which permission its caller needs. The command or query itself asks for it. */
export function Sends({ type, permission }: { readonly type: string; readonly permission?: string }): MethodDecorator {
  const sends = ApiExtension('x-message', type) as MethodDecorator;
  return permission === PUBLIC || permission === undefined ? sends : applyDecorators(sends, ApiExtension('x-permission', permission) as MethodDecorator, ApiBearerAuth(BEARER_SCHEME));
}
