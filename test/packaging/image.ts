import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { projectRoot } from '../../scripts/project.ts';

/**
 * Carries out the stages of the Dockerfile that lead to the image in a folder, without an engine: COPY copies, RUN
 * runs. What it takes from the stage `build` comes from this folder, which is built already.
 */
export function assembleImage(folder: string): { command: string[] } {
  const instructions = DockerfileParser.parse(readFileSync(path.join(projectRoot, 'Dockerfile'), 'utf8')).getInstructions();
  for (const instruction of [...stage(instructions, 'manifests'), ...stage(instructions, 'production')]) {
    const text = argumentsIn(instruction);
    if (instruction.getKeyword() === 'RUN') run(text, folder);
    if (instruction.getKeyword() === 'COPY') copy(text, folder);
  }
  return { command: JSON.parse(argumentsIn(instructions.findLast((instruction) => instruction.getKeyword() === 'CMD')!)) as string[] };
}

/** Everything after the keyword of an instruction, flags included. */
export function argumentsIn(instruction: Instruction): string {
  return instruction.getTextContent().slice(instruction.getKeyword().length).trim();
}

function stage(instructions: readonly Instruction[], name: string): readonly Instruction[] {
  const start = instructions.findIndex((instruction) => instruction.getKeyword() === 'FROM' && argumentsIn(instruction).endsWith(` AS ${name}`));
  const rest = instructions.slice(start + 1);
  const end = rest.findIndex((instruction) => instruction.getKeyword() === 'FROM');
  return rest.slice(0, end === -1 ? undefined : end);
}

function run(text: string, folder: string): void {
  const command = text.replaceAll(/--mount=\S+\s+/g, '');
  // As in the image: the project's own programs are not in the PATH.
  const PATH = process.env['PATH']!.split(path.delimiter).filter((entry) => !entry.includes('node_modules')).join(path.delimiter);
  execFileSync('/bin/sh', ['-c', command], { cwd: folder, env: { PATH, HOME: process.env['HOME'], npm_config_prefer_offline: 'true' }, stdio: ['ignore', 'ignore', 'pipe'] });
}

function copy(text: string, folder: string): void {
  const words = text.split(/\s+/);
  const fromBuild = words[0] === '--from=build';
  const paths = words.filter((word) => !word.startsWith('--'));
  const target = paths.pop()!;
  for (const source of paths) {
    const from = path.join(projectRoot, fromBuild ? source.replace(/^\/app\//, '') : source);
    const to = target.endsWith('/') ? path.join(folder, target, path.basename(source)) : path.join(folder, target);
    cpSync(from, to, { recursive: true });
  }
}
