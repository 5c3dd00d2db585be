/** A value as JSON text, so that what no object can hold arrives, too; with a name for people. */
export interface HostileValue {
  readonly name: string;
  readonly json: string;
}

const DEPTH = 10_000;
const nested = (open: string, close: string) => open.repeat(DEPTH) + close.repeat(DEPTH);
const text = (name: string, value: string): HostileValue => ({ name, json: JSON.stringify(value) });
const raw = (name: string, json: string): HostileValue => ({ name, json });

/** Texts that are taken for something else somewhere: by a database, a shell, a path, a page, a parser. */
export const HOSTILE_TEXTS: readonly (readonly [name: string, value: string])[] = [
  ['empty text', ''],
  ['a blank', ' '],
  ['one letter', 'x'],
  ['a number as text', '1'],
  ['a number too many', '20000000000000000000'],
  ['a negative number as text', '-1'],
  ['zero as text', '0'],
  ['a fraction as text', '1.5'],
  ['a number in hexadecimal', '0x10'],
  ['a number with an exponent', '1e1'],
  ['a number behind a blank', ' 10'],
  ['NaN as text', 'NaN'],
  ['Infinity as text', 'Infinity'],
  ['true as text', 'true'],
  ['null as text', 'null'],
  ['undefined as text', 'undefined'],
  ['a list as text', '[]'],
  ['64 letters', 'x'.repeat(64)],
  ['65 letters', 'x'.repeat(65)],
  ['301 letters', 'x'.repeat(301)],
  ['100 kB', 'x'.repeat(100_000)],
  ['a letter beyond 16 bits', '😀'],
  ['100 letters beyond 16 bits', '😀'.repeat(100)],
  ['101 letters beyond 16 bits', '😀'.repeat(101)],
  ['a combining accent', 'e\u0301'],
  ['an accent on nothing', '\u0301'],
  ['a text from right to left', 'שלום \u202E dlrow'],
  ['nothing visible', '\u200B\u2060'],
  ['a byte order mark', '\uFEFFx'],
  ['a control character', 'a\u0007b'],
  ['a line break', 'a\r\nb: c'],
  ['the character 0', 'a\u0000b'],
  ['the end of a statement', "'; drop table things; --"],
  ['what is always true', '1 or 1=1'],
  ['a quote and a backslash', '"\\\''],
  ['a wildcard', '%_%'],
  ['a path upwards', '../../../../etc/passwd'],
  ['a page with a script', '<script>alert(1)</script>'],
  ['a template', '${7*7}{{7*7}}'],
  ['the prototype', '__proto__'],
  ['a method of every object', 'constructor'],
  ['a day', '2026-03-01'],
  ['a day that there is not', '2026-02-30T00:00:00.000Z'],
  ['a time without a zone', '2026-03-01T12:00:00'],
  ['a time', '2026-03-01T12:00:00.000Z'],
  ['a year of six digits', '+275760-09-13T00:00:00.000Z'],
  ['a UUID', '01920000-0000-7000-8000-000000000000'],
  ['a UUID in capital letters', '01920000-0000-7000-8000-00000000ABCD'],
  ['a UUID in braces', '{01920000-0000-7000-8000-000000000000}'],
  ['a UUID of zeros', '00000000-0000-0000-0000-000000000000'],
];

/** Values for a field of a body: every type of JSON, and what breaks their limits. */
export const HOSTILE_VALUES: readonly HostileValue[] = [
  ...HOSTILE_TEXTS.map(([name, value]) => text(name, value)),
  raw('half a character', String.raw`"\ud800"`),
  raw('the other half first', String.raw`"\udc00\ud800"`),
  raw('null', 'null'),
  raw('true', 'true'),
  raw('false', 'false'),
  raw('zero', '0'),
  raw('negative zero', '-0'),
  raw('one', '1'),
  raw('minus one', '-1'),
  raw('a fraction', '0.5'),
  raw('a whole number with a point', '1.0'),
  raw('nearly a whole number', '1.0000000000000001'),
  raw('2^31', '2147483648'),
  raw('2^53', '9007199254740992'),
  raw('2^63', '9223372036854775808'),
  raw('-2^63', '-9223372036854775808'),
  raw('1e308', '1e308'),
  raw('1e400', '1e400'),
  raw('the smallest fraction', '5e-324'),
  raw('a number of 1000 digits', '9'.repeat(1_000)),
  raw('NaN', 'NaN'),
  raw('-Infinity', '-Infinity'),
  raw('undefined', 'undefined'),
  raw('a number with a zero in front', '01'),
  raw('an empty list', '[]'),
  raw('an empty object', '{}'),
  raw('a list of null', '[null]'),
  raw('a list of lists', '[[]]'),
  raw('a list of one text', '["x"]'),
  raw('an object that looks like a list', '{"0":"x","length":1}'),
  raw('10,000 numbers', JSON.stringify(Array.from({ length: 10_000 }, (_, index) => index))),
  raw('10,000 objects', `[${'{},'.repeat(9_999)}{}]`),
  raw('lists in 10,000 lists', nested('[', ']')),
  raw('objects in 10,000 objects', `${'{"a":'.repeat(DEPTH)}1${'}'.repeat(DEPTH)}`),
  raw('a prototype', '{"__proto__":{"polluted":true}}'),
  raw('a prototype by its constructor', '{"constructor":{"prototype":{"polluted":true}}}'),
  raw('a method as a value', '{"toString":1,"valueOf":null,"toJSON":"x"}'),
  raw('an object with the character 0', String.raw`{"a":"a\u0000b"}`),
  raw('an object with half a character', String.raw`{"a":"\ud800"}`),
  raw('an operator of another database', '{"$gt":""}'),
];

/** Parts of a path as they are sent, encoded or not. */
export const HOSTILE_SEGMENTS: readonly string[] = [
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd', '..%2f..%2f', '%2f', 'a%2fb', 'a%5cb', '%00', 'a%00b', '%0d%0aset-cookie:%20a=b', '%', '%z', '%zz', '%c0%af', '%ed%a0%80', '%ff', '%25%32%66', '%2525',
  '..', '.', '...', ';a=b', 'a;b', 'a,b', '*', '~', '%7e', '+', '%20', '%F0%9F%98%80', '%E2%80%AE', '__proto__', 'constructor', 'toString', 'NaN', 'null', 'undefined', '-1', '0', '1e308', `${'9'.repeat(400)}`, 'x'.repeat(64), 'x'.repeat(65),
  'x'.repeat(2_000), "';%20drop%20table%20things;%20--", '1%20or%201=1', '%3Cscript%3E', '01920000-0000-7000-8000-000000000000', '01920000-0000-7000-8000-00000000ABCD', '%7B01920000-0000-7000-8000-000000000000%7D',
];

/** Values of a header, none of which has to be refused before an operation looks at it. */
export const HOSTILE_HEADERS: readonly string[] = [
  '', ' ', 'x', 'two words', '"', '""', '"quoted"', '"un\\quoted"', 'ü', '\u0000', 'a\r\nb: c', '😀', 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(10_000), '0', '-1', '1e308', 'NaN', '*', 'W/"1"', '"1", "2"', ',', ';', '=',
  'wait', 'wait=', 'wait=NaN', 'wait=-1', 'wait=1e9', 'wait=999999999', 'wait=9999999999999999999', 'wait=30, wait=40', 'respond-async; wait="30"', "'; drop table things; --", '../../etc/passwd', '__proto__', '<script>',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '00-00000000000000000000000000000000-0000000000000000-00', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more',
];
