/** The rules of the layers: imports point one way. test/architecture proves that every rule bites. */
const lib = (name) => `^libs/${name}/src`;
const packages = (names) => `^(@nestbox/(${names})$|libs/(${names})/)`;

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Two files that need each other are one file, or hide a third.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'libraries-know-no-application',
      severity: 'error',
      comment: 'A library never knows a context.',
      from: { path: '^libs/' },
      to: { path: '^src/' },
    },
    {
      name: 'kernel-depends-on-nothing',
      severity: 'error',
      from: { path: lib('kernel'), pathNot: '\\.spec\\.ts$' },
      to: { pathNot: lib('kernel'), dependencyTypesNot: ['core'] },
    },
    {
      name: 'persistence-knows-the-kernel-only',
      severity: 'error',
      from: { path: lib('persistence'), pathNot: '\\.spec\\.ts$' },
      to: { path: packages('messaging|http|ops|testing') },
    },
    {
      name: 'messaging-knows-kernel-and-persistence',
      severity: 'error',
      from: { path: lib('messaging'), pathNot: '(\\.spec\\.ts$|/fixtures/)' },
      to: { path: packages('http|ops|testing') },
    },
    {
      name: 'http-and-ops-know-the-kernel-only',
      severity: 'error',
      from: { path: '^libs/(http|ops)/src', pathNot: '\\.spec\\.ts$' },
      to: { path: packages('persistence|messaging|testing') },
    },
    {
      name: 'models-are-plain',
      severity: 'error',
      comment: 'A model imports @nestbox/kernel, the other models of its context, and events that other contexts publish.',
      from: { path: '^src/domain/([^/]+)/models/', pathNot: '\\.(spec|events)\\.ts$' },
      to: { pathNot: `^(src/domain/$1/models/|src/domain/[^/]+/models/[^/]+\\.events\\.ts$)|${packages('kernel').slice(1)}` },
    },
    {
      name: 'events-carry-their-fields',
      severity: 'error',
      comment: 'An event is plain, too, but says what its fields are, in the words that all contexts share.',
      from: { path: '^src/domain/([^/]+)/models/[^/]+\\.events\\.ts$' },
      to: { pathNot: `^(src/domain/$1/models/|src/domain/[^/]+/models/[^/]+\\.events\\.ts$|src/domain/shared/(fields|event\\.fields)\\.ts$)|${packages('kernel').slice(1)}` },
    },
    {
      name: 'contexts-meet-in-events-only',
      severity: 'error',
      comment: 'A context knows nothing of another one but the events that it publishes.',
      from: { path: '^src/domain/(?!shared/)([^/]+)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^src/domain/(?!shared/)[^/]+/', pathNot: '^src/domain/($1/|[^/]+/models/[^/]+\\.events\\.ts$)' },
    },
    {
      name: 'domain-knows-no-entry-point',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { path: '^src/(admin|api|core|cli)/' },
    },
    {
      name: 'api-translates-only',
      severity: 'error',
      comment: 'A controller knows messages, schemas and errors, never how things are stored.',
      from: { path: '^src/api/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^(src/(core|cli)/|src/domain/[^/]+/(repositories|models(?!/[^/]+\\.errors\\.)|migrations)/)|@nestbox/(persistence|messaging)$|^libs/(persistence|messaging)/' },
    },
    {
      name: 'interactors-use-repositories',
      severity: 'error',
      comment: 'An interactor never touches a driver; its repository does.',
      from: { path: '^src/domain/[^/]+/interactors/', pathNot: '\\.spec\\.ts$' },
      to: { path: '(^|/)(pg|typeorm)(/|$)' },
    },
    {
      name: 'application-code-speaks-no-broker',
      severity: 'error',
      comment: 'No file of the domain or the API knows whether there is a broker.',
      from: { path: '^src/(domain|api)/', pathNot: '\\.spec\\.ts$' },
      to: { path: '@nats-io|@nestjs/microservices' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|libs/[^/]+/dist)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
