// @peculiar/x509, loaded when it is first needed: it takes tens of milliseconds, which most subcommands do not owe.
// Imports in order, not as `import` statements: in a lazily loaded module the bundler runs CommonJS imports such as
// reflect-metadata last, and x509's dependency injection refuses to start without it.

export async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}
