import { describeApi } from './suites/every-mode.ts';

describeApi('split');
