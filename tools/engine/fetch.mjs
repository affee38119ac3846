// Fetches the embedded ClickHouse engine with npm, once, into the directory given as argument:
//
//   node fetch.mjs ~/.cache/chaoban/engine/26.7.3-stable.1
//
// The tarball is checked by npm against the integrity hash in package-lock.json. The package is
// installed into a directory beside the target and renamed into place, so the target either does
// not exist or is complete. A lock directory keeps a second run from downloading the same bytes
// again; the rename keeps the result right even if that lock is broken by a crash. A run that was
// interrupted is simply repeated: npm keeps what it had finished in its own cache.
//
// Only node's standard library is used.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const target = path.resolve(process.argv[2] ?? '');
const unpackedMB = 570; // on disk, for the progress line
const packedMB = 180; // over the network

const say = (text) => process.stderr.write(`engine: ${text}\n`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Refusal extends Error {}

// libc as npm names it; npm leaves out a package whose "libc" does not match.
function libc() {
  if (process.platform !== 'linux') return undefined;
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl';
}

// enginePackage returns the one locked package made for this machine.
function enginePackage() {
  const lock = JSON.parse(fs.readFileSync(path.join(here, 'package-lock.json'), 'utf8'));
  const fits = (allowed, mine) => !allowed || allowed.includes(mine);
  for (const [place, entry] of Object.entries(lock.packages)) {
    if (place === '' || !fits(entry.os, process.platform) || !fits(entry.cpu, process.arch) || !fits(entry.libc, libc())) continue;
    if (!entry.integrity) throw new Refusal(`${place} has no integrity hash in package-lock.json; refusing to install it`);
    return place;
  }
  throw new Refusal(
    `no pinned ClickHouse engine for ${process.platform}-${process.arch}${libc() ? ' (' + libc() + ')' : ''}.\n` +
      '        Set CHAOBAN_ENGINE to a libchdb.so of your own, or give the service an external ClickHouse by DSN.',
  );
}

const library = (root, place) => path.join(root, place, 'libchdb.so');
const installed = (root, place) => fs.statSync(library(root, place), { throwIfNoEntry: false })?.size > 0;

function megabytes(dir) {
  let bytes = 0;
  let entries = [];
  try {
    entries = fs.readdirSync(dir, { withFileTypes: true });
  } catch {
    return 0; // npm moves directories while we look
  }
  for (const entry of entries) {
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) bytes += megabytes(full) * 1e6;
    else bytes += fs.lstatSync(full, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes / 1e6;
}

// lock takes <target>.lock, waiting for a living owner; it returns a function that gives it back,
// or undefined when another run installed the engine in the meantime.
async function lock(place) {
  const dir = `${target}.lock`;
  const owner = path.join(dir, 'pid');
  for (let waited = 0; ; waited += 1) {
    try {
      fs.mkdirSync(dir);
      fs.writeFileSync(owner, String(process.pid));
      return () => fs.rmSync(dir, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (installed(target, place)) return undefined;
    if (waited === 0) say('another run is fetching it, waiting');
    await sleep(500);
    // An owner without a pid file is given five seconds to write it.
    const pid = Number(fs.existsSync(owner) ? fs.readFileSync(owner, 'utf8') : 0);
    if (pid ? !alive(pid) : waited > 10) fs.rmSync(dir, { recursive: true, force: true });
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// npm runs `npm ci` in a directory and resolves with its exit code and output.
function npm(cwd) {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--loglevel=warn'];
  const child = spawn('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' });
  let text = '';
  child.stdout.on('data', (part) => (text += part));
  child.stderr.on('data', (part) => (text += part));
  const stop = (signal) => child.kill(signal);
  process.once('SIGINT', stop).once('SIGTERM', stop);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, text }));
  });
}

// showProgress reports what has been unpacked so far: on one line of a terminal, else every 15 s.
function showProgress(staging) {
  const terminal = process.stderr.isTTY;
  const timer = setInterval(() => {
    const done = Math.round(megabytes(staging));
    const percent = Math.min(99, Math.round((100 * done) / unpackedMB));
    if (terminal) process.stderr.write(`\rengine: ${percent} % unpacked (${done} of about ${unpackedMB} MB) `);
    else say(`${percent} % unpacked`);
  }, terminal ? 500 : 15000);
  return () => {
    clearInterval(timer);
    if (terminal) process.stderr.write('\r\x1b[K');
  };
}

async function fetchInto(staging, place) {
  for (const file of ['package.json', 'package-lock.json']) fs.copyFileSync(path.join(here, file), path.join(staging, file));
  say(`fetching ${place.replace('node_modules/', '')}: about ${packedMB} MB, once, into ${target}`);
  const done = showProgress(staging);
  const { code, signal, text } = await npm(staging).finally(done);
  // npm does not fail when an optional package is missing or damaged, so the file itself decides.
  if (code === 0 && installed(staging, place)) return;
  if (signal || process.exitCode) throw new Refusal('interrupted; run it again to go on');
  const hint = text.trim() || `npm installed nothing; see the newest log below ${path.join(process.env.npm_config_cache ?? '~/.npm', '_logs')}`;
  throw new Refusal(`npm could not install the engine (exit code ${code}):\n${hint}`);
}

function moveIntoPlace(staging) {
  const old = `${staging}.old`;
  if (fs.existsSync(target)) fs.renameSync(target, old); // incomplete, or we would not be here
  fs.renameSync(staging, target);
  fs.rmSync(old, { recursive: true, force: true });
}

async function main() {
  const place = enginePackage();
  if (installed(target, place)) return;
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const unlock = await lock(place);
  if (!unlock) return;
  const staging = `${target}.part-${process.pid}`;
  try {
    if (installed(target, place)) return;
    for (const name of fs.readdirSync(path.dirname(target))) {
      const stale = path.join(path.dirname(target), name);
      if (stale.startsWith(`${target}.part-`)) fs.rmSync(stale, { recursive: true, force: true });
    }
    fs.mkdirSync(staging);
    await fetchInto(staging, place);
    moveIntoPlace(staging);
    say(`ready: ${library(target, place)}`);
  } finally {
    fs.rmSync(staging, { recursive: true, force: true });
    unlock();
  }
}

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) process.on(signal, () => (process.exitCode = code));

try {
  await main();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  say(error.message);
  process.exitCode ||= 1;
}
