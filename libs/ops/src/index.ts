export { HealthModule } from './health.module.js';
export { type HealthProbe, HealthRegistry } from './health.registry.js';
export { type LoggingOptions, LoggingModule } from './logging.module.js';
export { loggingSettings } from './logging.settings.js';
export { misspelledSettings } from './misspelled.js';
export { InvalidSettings, readSettings, type SettingProblem } from './settings.js';
export { settingsEnvExample, settingsMarkdown, type SettingSection } from './settings-docs.js';
