import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable, UnauthorizedException } from '@nestjs/common';

/** Injection token of the secret that callers of `/admin` have to know. */
export const ADMIN_TOKEN = Symbol('nestbox:admin-token');

interface Exchange {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface Reply {
  header(name: string, value: string): unknown;
}

/** Lets in who sends the token as `Authorization: Bearer …`. */
@Injectable()
export class AdminTokenGuard implements CanActivate {
  private readonly expected: Buffer;

  constructor(@Inject(ADMIN_TOKEN) token: string) {
    this.expected = digest(token);
  }

  canActivate(context: ExecutionContext): boolean {
    const http = context.switchToHttp();
    const { authorization } = http.getRequest<Exchange>().headers;
    const [, given = ''] = /^Bearer +(\S+)$/i.exec(String(authorization)) ?? [];
    // Digests are of one length, so the time that the comparison takes says nothing about the token.
    if (timingSafeEqual(digest(given), this.expected)) return true;
    http.getResponse<Reply>().header('www-authenticate', 'Bearer');
    throw new UnauthorizedException('These routes need the header "Authorization: Bearer <ADMIN_TOKEN>", with the token that the service was started with.');
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
