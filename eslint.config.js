import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** The folders of src/, each of which imports only from those before it. */
const LAYERS = [
  ...['ui', 'format', 'threads', 'input', 'codec', 'wrapper', 'output'],
  ...['archive', 'tar', 'backup', 'engine', 'report', 'verbs'],
];
/** What stands on all of them, and not on each other. */
const ENTRANCES = ['library', 'cli'];

const layerRules = [...LAYERS, ...ENTRANCES].map((layer) => {
  const above = ENTRANCES.includes(layer) ? [] : LAYERS.slice(LAYERS.indexOf(layer) + 1);
  const forbidden = [...above, ...ENTRANCES].filter((other) => other !== layer);
  return {
    files: [`src/${layer}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: forbidden.map((other) => ({ group: [`**/${other}/*`], message: `${layer} is below ${other}.` })) },
      ],
    },
  };
});

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'docs/api/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.json', './test/tsconfig.json', './src/report/page/tsconfig.json'],
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // Numbers in messages are the rule here (offsets, lengths, checksums), not a slip.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // It gives a name to what derives from a table, which then stands in messages and in the reference.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      // A base class says what its heirs are given.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  ...layerRules,
  {
    // node:test returns promises that its runner awaits itself.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: ['test', 'it', 'describe', 'suite'].map((name) => ({
            from: 'package',
            name,
            package: 'node:test',
          })),
        },
      ],
    },
  },
  {
    files: ['**/*.js'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
