// A server's key and the request for its certificate, as files. A key that is there is never lost by chance: it may be
// the one that a server runs with.

import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type KeyAlgorithmName, keyAlgorithms } from "../pki/key-algorithm.ts";
import { exportPrivateKey } from "../pki/private-key.ts";
import { createSigningRequest, readSigningRequest } from "../pki/signing-request.ts";
import { readTextFile } from "../runtime/files.ts";
import { generateKeys } from "./keys.ts";
import type { ServerNames } from "./server-names.ts";
import { subjectFor } from "./signers.ts";

export const keyFile = "server.key";
export const requestFile = "server.csr";
export const certificateFile = "server.crt";
export const authorityFile = "ca.crt";

const privateMode = 0o600;
const publicMode = 0o644;

export interface KeyWish {
  folder: string;
  names: ServerNames;
  signerName: string;
  algorithm: KeyAlgorithmName;
  /** Whether files that are there may go. */
  force: boolean;
}

/** Makes key and request. Throws when one of the files is there and may not go. */
export async function makeKeyFiles({ folder, names, signerName, algorithm, force }: KeyWish): Promise<void> {
  const [key, request] = [join(folder, keyFile), join(folder, requestFile)];
  if (!force) for (const file of [key, request]) if (existsSync(file)) throw mayNotGo(file);
  const keys = await generateKeys(algorithm);
  const requestPem = await createSigningRequest({ keys, ...names, ...subjectFor(signerName, names) });
  makeFolder(folder);
  const write = force ? replaceFile : createFile;
  write(key, await exportPrivateKey(keys.privateKey), privateMode);
  write(request, requestPem, publicMode);
}

/**
 * Whether key and request are there from an earlier attempt at the same.
 * Throws when there are others: they may not go, and would not do.
 */
export async function hasKeyFiles(wish: KeyWish): Promise<boolean> {
  const [key, request] = [join(wish.folder, keyFile), join(wish.folder, requestFile)];
  const isThere = [key, request].map((file) => existsSync(file));
  if (!isThere.includes(true)) return false;
  if (isThere.includes(false)) throw mayNotGo(isThere[0] ? key : request);
  const found = await readSigningRequest(await readTextFile(request));
  const wanted = { ...subjectFor(wish.signerName, wish.names), ...wish.names };
  const isSame =
    found.commonName === wanted.commonName &&
    found.organizations.join() === (wanted.organization ?? "") &&
    isSameSet(found.dnsNames, wanted.dnsNames) &&
    isSameSet(found.ipAddresses, wanted.ipAddresses) &&
    isOfAlgorithm(found.publicKey, wish.algorithm);
  if (!isSame) throw mayNotGo(request, "it asks for something else");
  if (!(await isKeyOfRequest(await readTextFile(key), found.publicKey)))
    throw mayNotGo(request, "it is for another key");
  return true;
}

/** Writes a file that anybody may read, in one step, whatever was there. */
export function replacePublicFile(file: string, text: string): void {
  replaceFile(file, text, publicMode);
}

function createFile(file: string, text: string, mode: number): void {
  attempt(file, () => writeFileSync(file, text, { mode, flag: "wx" }));
}

function replaceFile(file: string, text: string, mode: number): void {
  const draft = `${file}.new`;
  attempt(file, () => {
    rmSync(draft, { force: true });
    writeFileSync(draft, text, { mode, flag: "wx" }); // a draft that was there would keep its own mode
    renameSync(draft, file);
  });
}

function makeFolder(folder: string): void {
  attempt(folder, () => mkdirSync(folder, { recursive: true }));
}

function attempt(file: string, write: () => void): void {
  try {
    write();
  } catch (error: unknown) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw mayNotGo(file);
    throw new Error(`Cannot write "${file}": ${code === "ENOENT" ? "no such folder" : message}`);
  }
}

function mayNotGo(file: string, why = "it is there already"): Error {
  return new Error(`Cannot write "${file}": ${why}, must be moved away, or replaced with --force`);
}

async function isKeyOfRequest(keyPem: string, publicKey: CryptoKey): Promise<boolean> {
  const asked = Buffer.from(await crypto.subtle.exportKey("spki", publicKey));
  try {
    return createPublicKey(createPrivateKey(keyPem)).export({ format: "der", type: "spki" }).equals(asked);
  } catch {
    return false; // no key that can be read is the key
  }
}

function isOfAlgorithm({ algorithm }: CryptoKey, name: KeyAlgorithmName): boolean {
  const { namedCurve, modulusLength } = algorithm as { namedCurve?: string; modulusLength?: number };
  const wanted = keyAlgorithms[name];
  return "namedCurve" in wanted ? namedCurve === wanted.namedCurve : modulusLength === wanted.modulusLength;
}

function isSameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.toSorted().join() === right.toSorted().join();
}
