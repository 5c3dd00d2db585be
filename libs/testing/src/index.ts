export { trackSession, type TrackedEvent, type TrackedSession } from './tracked-session.js';
export { type ReaderOf, settled } from './settled.js';
export { createTestDatabase, type TestDatabase } from './test-database.js';
