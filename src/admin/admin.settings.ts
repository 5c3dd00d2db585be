import type { SettingDefinitions } from '@nestbox/kernel';

/** Settings of the routes under `/admin`. */
export const adminSettings = {
  ADMIN_TOKEN: {
    type: 'string',
    minLength: 16,
    optional: true,
    secret: true,
    description: 'Bearer token of the routes under `/admin`. Unset: there are no such routes. `npm start` makes one for each start when it is unset.',
  },
  ADMIN_TOKEN_SHOW: {
    type: 'boolean',
    default: false,
    description: 'Print the token when the service is ready. Only for one that was made for this start; `npm start` sets it then.',
  },
} as const satisfies SettingDefinitions;
