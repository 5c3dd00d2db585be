// Installs the packages when that is needed, before anything else runs. It may use nothing but Node itself, and it
// runs on the Node of the machine: the project's own Node 24 is one of the packages.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const modules = path.join(root, 'node_modules');
const lockFile = path.join(root, 'package-lock.json');
const SPACE_FOR_PACKAGES = 600 * 1024 * 1024;

refuseOldNode();
const reason = whyInstall();
if (reason) install(reason);

function refuseOldNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`Node ${process.versions.node} is too old: install Node 20.19 or later (nodejs.org), then run the command again.`);
}

/** Why the packages must be installed, or undefined when they are complete. */
function whyInstall() {
  if (!existsSync(modules)) return 'the packages are not installed yet';
  const installed = readJson(path.join(modules, '.package-lock.json'));
  if (!installed) return 'an earlier installation was not finished';
  const wanted = readJson(lockFile);
  for (const [name, entry] of Object.entries(wanted ? wanted.packages : {})) {
    const present = installed.packages[name];
    // Packages for other platforms are optional and absent; the folders of the workspaces are not packages to install.
    if (!name.startsWith('node_modules/') || (!present && (entry.optional || entry.devOptional))) continue;
    if (!present || present.version !== entry.version || present.integrity !== entry.integrity) return 'package-lock.json has changed';
  }
  for (const name of Object.keys(installed.packages)) {
    if (!existsSync(path.join(root, name, 'package.json'))) return `${name} is missing`;
  }
  return projectNodeRuns() ? undefined : "the project's own Node is missing";
}

function projectNodeRuns() {
  const program = path.join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
  try {
    accessSync(program, constants.X_OK);
  } catch {
    return false;
  }
  // npm scripts find this very program first in their PATH, so in most cases it is what runs here.
  return process.execPath.startsWith(modules) || spawnSync(program, ['--version'], { shell: process.platform === 'win32' }).status === 0;
}

function install(why) {
  // Install scripts that meet a full disk fail with any message, and late; so look first.
  if (!existsSync(modules) && freeSpace() < SPACE_FOR_PACKAGES) failForSpace();
  const command = existsSync(lockFile) ? 'ci' : 'install';
  console.log(`Installing packages (${why}); this takes a minute or so …`);
  const started = Date.now();
  const run = spawnSync('npm', [command, '--include=dev', '--loglevel=error', '--no-audit', '--no-fund', '--no-progress'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // The installation replaces the project's Node; npm must not be running on it.
    env: { ...process.env, PATH: withoutProjectBin(process.env.PATH || '') },
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = `${run.stderr || ''}\n${run.stdout || ''}`;
  if (run.error && run.error.code === 'ENOENT') fail('npm was not found: install it with Node (nodejs.org).');
  if (run.status !== 0 && (/ENOSPC|no space left/i.test(output) || freeSpace() < SPACE_FOR_PACKAGES / 10)) failForSpace();
  if (run.signal) fail(`The installation was interrupted (${run.signal}); run the command again.`);
  if (run.status !== 0) fail(`npm ${command} failed: ${firstError(output) || (run.error && run.error.message) || `exit code ${run.status}`}`);
  const left = whyInstall();
  if (left) fail(`npm ${command} succeeded, but ${left}: check that npm may run install scripts (npm config get ignore-scripts).`);
  console.log(`Packages are installed (${Math.round((Date.now() - started) / 1000)} s).`);
}

function freeSpace() {
  const disk = statfsSync(root);
  return disk.bavail * disk.bsize;
}

function failForSpace() {
  const megabytes = (bytes) => `${Math.round(bytes / 1024 / 1024)} MB`;
  fail(`The disk is full: the packages need about ${megabytes(SPACE_FOR_PACKAGES)} in ${root}, ${megabytes(freeSpace())} are free.`);
}

function withoutProjectBin(pathList) {
  return pathList
    .split(path.delimiter)
    .filter((folder) => !path.resolve(folder).startsWith(modules))
    .join(path.delimiter);
}

/** npm's own words, without its decoration: the first line that is a sentence. */
function firstError(output) {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!)\s*/i, '').trim())
    .filter(Boolean);
  return lines.find((line) => /\s/.test(line) && !/^(code|errno|syscall|path|A complete log)\b/i.test(line)) || lines[0];
}

function readJson(file) {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8'));
    return value && value.packages ? value : undefined;
  } catch {
    return undefined;
  }
}

function fail(line) {
  console.error(line);
  process.exit(1);
}
