import { Body, Controller, Header, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiProduces, ApiProperty, ApiTags } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsString, Matches, ValidateIf } from 'class-validator';
import { PERMISSION_PATTERN } from '@nestbox/kernel';
import { ApiProblems } from './api-problems.js';
import { DEV_TOKEN_SECONDS, DevIssuer } from './dev-issuer.js';
import { SUBJECT, TENANT } from './jwt.js';

/** Injection token of the permissions that a token gets when nobody says which. */
export const DEV_PERMISSIONS = Symbol('nestbox:dev-permissions');

/** Left out, and not null. */
const MayBeLeftOut = () => ValidateIf((_, value) => value !== undefined);

/** Whom the token is to stand for. */
export class DevTokenBody {
  @ApiProperty({ type: String, required: false, default: 'developer', description: 'Who you are.', example: 'developer' })
  @MayBeLeftOut()
  @IsString()
  @Matches(SUBJECT, { message: 'subject must be 1 to 255 printable ASCII characters without blanks' })
  readonly subject?: string;

  @ApiProperty({ type: String, required: false, default: 'default', description: 'Whose data you see and change.', example: 'default' })
  @MayBeLeftOut()
  @IsString()
  @Matches(TENANT, { message: 'tenant must be 1 to 64 letters, digits, ".", "_" and "-"' })
  readonly tenant?: string;

  @ApiProperty({ type: [String], required: false, description: 'What you may do. Default: everything that there is a permission for.', example: ['ordering:read'] })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(100)
  @Matches(PERMISSION_PATTERN, { each: true, message: 'each of permissions must be lower-case words with ":" in between' })
  readonly permissions?: string[];
}

/** The answer of an issuer of tokens. Source: RFC 6749, section 5.1. */
export class DevToken {
  @ApiProperty({ type: String, description: 'To be sent as `Authorization: Bearer <access_token>`.', example: 'eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.e30.c2lnbmF0dXJl' })
  readonly access_token!: string;

  @ApiProperty({ type: String, enum: ['Bearer'], example: 'Bearer' })
  readonly token_type!: 'Bearer';

  @ApiProperty({ type: 'integer', description: 'Seconds.', example: DEV_TOKEN_SECONDS })
  readonly expires_in!: number;
}

interface Exchange {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface Reply {
  header(name: string, value: string): unknown;
}

/** Gives a token to whoever asks. There is no such route in production. */
@ApiTags('development')
@Controller('dev')
export class DevTokenController {
  constructor(private readonly issuer: DevIssuer, @Inject(DEV_PERMISSIONS) private readonly allPermissions: readonly string[]) {}

  @Post('token')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  @ApiOperation({ operationId: 'issueDevToken', summary: 'Get a token for development', description: 'Without a body: one that may do everything, for the tenant `default`. With `Accept: text/plain`: the token alone.' })
  @ApiBody({ type: DevTokenBody, required: false, examples: { everything: { value: {} }, reader: { value: { subject: 'auditor', permissions: ['ordering:read'] } } } })
  @ApiProduces('application/json', 'text/plain')
  @ApiOkResponse({ description: 'The token.', type: DevToken })
  @ApiProblems()
  async issue(@Body() body: DevTokenBody, @Req() { headers }: Exchange, @Res({ passthrough: true }) reply: Reply): Promise<DevToken | string> {
    const { subject = 'developer', tenant: tenantId = 'default', permissions = this.allPermissions } = body;
    const token = await this.issuer.issue({ subject, tenantId, permissions });
    if (!String(headers['accept']).includes('text/plain')) return { access_token: token, token_type: 'Bearer', expires_in: DEV_TOKEN_SECONDS };
    reply.header('content-type', 'text/plain; charset=utf-8');
    return token;
  }
}
