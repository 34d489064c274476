import { readVmRecipe } from '../../services/worker/vm-recipe.ts';

/** Prints the hash of the recipe of the VM image: `node scripts/setup/vm-recipe.ts BASE_IMAGE`. */
const { hash } = await readVmRecipe(process.argv[2] ?? 'ubuntu:24.04');
process.stdout.write(`${hash}\n`);
