// The direction of imports, as in the design's §3: always downwards.
// functions → shared domain rooms → shared/{exchange,graph,okta,store,audit} → shared/upstream → shared/{errors,config}
const domain = '^shared/(attributes|dirsync|groups|identity|push|connection|operations)/';
const services = '^shared/(exchange|graph|okta|store|audit)/';
const upstream = '^shared/upstream/';
const foundation = '^shared/(abort|call|clock|config|errors|guid|privateKey)\\.ts$';

const never = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    never('no-cycles', 'A cycle means two rooms are one.', {}, { circular: true }),
    never(
      'shared-knows-no-caller',
      'shared/ is used by the functions, never the other way round.',
      { path: '^shared/' },
      { path: '^(functions|simulator|local|test|bench)/' },
    ),
    never(
      'simulator-stands-alone',
      'The simulator must not agree with the client by construction.',
      { path: '^simulator/' },
      { path: '^(shared|functions|local|test|bench)/' },
    ),
    never(
      'functions-hold-no-client',
      'A function is a contract and a call into shared/.',
      { path: '^functions/', pathNot: '^functions/index\\.ts$' },
      {
        path: '^shared/(upstream|exchange|graph|okta|store|audit)/|^(simulator|local|test)/|node_modules/(@azure|@microsoft)',
      },
    ),
    never(
      'upstream-is-below-services',
      'The fetch policy knows no upstream by name of its room.',
      { path: upstream },
      { path: [domain, services, '^shared/action/', '^shared/services(\\.ts$|/)'] },
    ),
    never(
      'services-are-below-domain',
      'A client takes no decision of the domain.',
      { path: services },
      { path: [domain, '^shared/action/', '^shared/services(\\.ts$|/)'] },
    ),
    never(
      'domain-is-below-actions',
      'A decision knows no HTTP.',
      { path: domain },
      { path: ['^shared/action/', '^shared/services(\\.ts$|/)'] },
    ),
    never(
      'foundation-is-the-ground',
      'What all stand on imports nothing above itself.',
      { path: foundation },
      { path: '^shared/', pathNot: foundation },
    ),
    never(
      'production-carries-no-development-package',
      'dist/ is built from dependencies alone.',
      { path: '^(functions|shared)/' },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.cjs', '.json'] },
  },
};
