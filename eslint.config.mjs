import tseslint from "typescript-eslint"

export default tseslint.config(
  { ignores: ["dist/**", ".build/**", "node_modules/**", "coverage/**"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommended],
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "max-lines": ["error", { max: 300 }],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "max-lines-per-function": ["error", { max: 40, skipComments: true, skipBlankLines: true }],
      "max-params": ["error", 4],
      "max-depth": ["error", 3],
      "no-restricted-syntax": ["error", { selector: "ExportAllDeclaration", message: "List what is public by name." }],
      "no-console": "error",
    },
  },
)
