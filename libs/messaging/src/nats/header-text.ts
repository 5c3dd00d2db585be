const NEEDS_ESCAPE = /[^\x21\x23\x24\x26-\x7e]/;

/**
 * Any text as a header value. Blanks, `"`, `%`, line ends and everything outside printable ASCII become `%XX` of their
 * UTF-8 bytes, as the CloudEvents bindings ask for; a header could not carry a line end, and loses blanks at its ends.
 */
export function headerValue(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return text;
  let escaped = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    escaped += byte > 0x7e || NEEDS_ESCAPE.test(char) ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : char;
  }
  return escaped;
}

/** The text of a header value. What is not a valid escape is taken as it stands: other clients may not escape. */
export function headerText(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
