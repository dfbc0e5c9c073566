// One benchmark in a process of its own (node run-one.mjs MODULE): its report goes to standard output as JSON after an @.
const { run } = await import(process.argv[2]);
process.stdout.write(`\n@${JSON.stringify(await run())}`, () => process.exit(0));
