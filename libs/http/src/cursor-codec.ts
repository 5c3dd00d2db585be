import { createHmac, timingSafeEqual } from 'node:crypto';
import { UsageError } from '@nestbox/kernel';
import { httpProblems } from './http-problems.js';
import { HttpRefusal } from './problem.js';

/** Format of the cursors that are made here: their first byte. */
const FORMAT = 1;
/** Bytes of the HMAC that a cursor carries: half of it, which RFC 2104 (section 5) allows. */
const SEAL_BYTES = 16;
const KEY_BYTES = 32;

/** The list that a cursor belongs to, and leads on in; in no other. */
export interface CursorScope {
  /** Name of the operation. Cursors are good for as long as it stays the same. */
  readonly operation: string;
  /** Whose data it lists. */
  readonly tenantId: string;
  /** What narrows the list: plain values by their names, in any order. Those that are undefined do not count. */
  readonly filter: Readonly<Record<string, unknown>>;
}

/** A cursor that leads nowhere in the list that it was sent to. */
export class InvalidCursor extends HttpRefusal {
  /** @param reason what is wrong with it */
  constructor(reason: string) {
    super(httpProblems.invalidCursor, `The cursor ${reason}. Follow the link \`next\` of a page as it is, with the same filters, or leave the cursor out to start with the first page.`, [{ pointer: '/cursor', detail: `cursor ${reason}` }]);
  }
}

/**
 * Makes cursors out of positions in lists, and positions out of cursors. A cursor is text for URLs that its reader cannot change or
 * take to another list unnoticed: format, seal (HMAC-SHA-256 over format, scope and position, cut to 128 bits) and position, as
 * base64url. It is sealed, not secret: a position has to be something that the caller may see, such as the id of an item.
 */
export class CursorCodec {
  /** @param key 32 random bytes; whoever shares them can open the cursors @throws UsageError for another length */
  constructor(private readonly key: Buffer) {
    if (key.length !== KEY_BYTES) throw new UsageError(`The key that seals cursors has ${key.length} bytes, and needs ${KEY_BYTES}.`, 'take randomBytes(32), or derive as many from a secret that all processes behind one load balancer share.');
  }

  /** The cursor of a position in this list. */
  seal(scope: CursorScope, position: string): string {
    return Buffer.concat([Buffer.of(FORMAT), this.sealOf(scope, position), Buffer.from(position)]).toString('base64url');
  }

  /** The position of a cursor that was sealed for this list. @throws InvalidCursor for anything else */
  open(scope: CursorScope, cursor: string): string {
    const bytes = Buffer.from(cursor, 'base64url');
    // The decoder steps over what is no base64url; one position has one cursor.
    if (bytes.toString('base64url') !== cursor || bytes.length <= 1 + SEAL_BYTES) throw new InvalidCursor('is none that a page has given');
    if (bytes[0] !== FORMAT) throw new InvalidCursor('was made by another version of this API');
    const position = bytes.subarray(1 + SEAL_BYTES).toString();
    if (timingSafeEqual(bytes.subarray(1, 1 + SEAL_BYTES), this.sealOf(scope, position))) return position;
    throw new InvalidCursor('was changed or cut off, or belongs to another list: the operation, the filters and whose data it is have to be those of the page that gave it');
  }

  private sealOf({ operation, tenantId, filter }: CursorScope, position: string): Buffer {
    const given = Object.entries(filter).filter(([, value]) => value !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1));
    // As JSON, so that what ends one part cannot begin the next one.
    const sealed = JSON.stringify([FORMAT, operation, tenantId, given, position]);
    return createHmac('sha256', this.key).update(sealed).digest().subarray(0, SEAL_BYTES);
  }
}
