// Prints what the schemas have against documents: node validate.mjs FILE, a list of {module, data}. Status 1 if anything.
import { readFile } from 'node:fs/promises';

for (const { module, data } of JSON.parse(await readFile(process.argv[2], 'utf8'))) {
  const types = await import(module);
  try {
    new types[data.kind](data).validate();
  } catch (problem) {
    console.log(`${data.kind} ${data.metadata.name}: ${problem.message}`);
    process.exitCode = 1;
  }
}
