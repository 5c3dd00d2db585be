import type { DynamicModule } from '@nestjs/common';
import type { ProblemCatalogue } from './problem-catalogue.js';
import { PROBLEM_CATALOGUE, ProblemsController } from './problems.controller.js';

/** Serves the catalogue: `/problems` has all problems, `/problems/<code>` explains one. */
export class ProblemsModule {
  static forRoot(catalogue: ProblemCatalogue): DynamicModule {
    return { module: ProblemsModule, controllers: [ProblemsController], providers: [{ provide: PROBLEM_CATALOGUE, useValue: catalogue }] };
  }
}
