import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { imageSize } from 'image-size';
import { nanoid } from 'nanoid';
import { badRequest } from '../refusal.ts';
import { limits, type StoredFile } from './model.ts';

/** The bytes of photos and documents: in a folder beside the state file, or in memory. */
export type FileStore = {
  add(bytes: Buffer, name: string, mimeType?: string): StoredFile;
  /** Like add, for a picture; refuses what is none, as Telegram does. */
  addPhoto(bytes: Buffer, name: string): StoredFile;
  find(fileId: string): StoredFile | undefined;
  read(fileId: string): Buffer | undefined;
  remove(fileId: string): void;
};

const mimeTypes: Record<string, string> = {
  '.txt': 'text/plain',
  '.log': 'text/plain',
  '.json': 'application/json',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
};

export const createFileStore = (folder: string | undefined, known: StoredFile[]): FileStore => {
  const files = new Map(known.map((file) => [file.fileId, file]));
  const inMemory = new Map<string, Buffer>();
  if (folder !== undefined) mkdirSync(folder, { recursive: true });

  const remove = (fileId: string) => {
    files.delete(fileId);
    inMemory.delete(fileId);
    if (folder !== undefined) rmSync(join(folder, fileId), { force: true });
  };

  const makeRoom = (size: number) => {
    let total = size;
    for (const file of files.values()) total += file.size;
    for (const file of [...files.values()]) {
      if (total <= limits.allFilesBytes) return;
      total -= file.size;
      remove(file.fileId);
    }
  };

  const keep = (bytes: Buffer, file: Omit<StoredFile, 'fileId' | 'uniqueId' | 'size'>): StoredFile => {
    makeRoom(bytes.length);
    const stored = { ...file, size: bytes.length, fileId: `practice_${nanoid(32)}`, uniqueId: nanoid(16) };
    files.set(stored.fileId, stored);
    if (folder === undefined) inMemory.set(stored.fileId, bytes);
    else writeFileSync(join(folder, stored.fileId), bytes, { mode: 0o600 });
    return stored;
  };

  const find = (fileId: string) => files.get(fileId);
  return {
    add: (bytes, name, mimeType) =>
      keep(bytes, {
        name,
        mimeType: mimeType ?? mimeTypes[extname(name).toLowerCase()] ?? 'application/octet-stream',
      }),
    addPhoto: (bytes, name) => {
      const { width, height, type } = readPicture(bytes);
      const mimeType = type === 'jpg' ? 'image/jpeg' : `image/${type}`;
      return keep(bytes, { name, mimeType, width, height });
    },
    find,
    read: (fileId) => {
      if (!find(fileId)) return undefined;
      return folder === undefined ? inMemory.get(fileId) : readFileSync(join(folder, fileId));
    },
    remove,
  };
};

const readPicture = (bytes: Buffer) => {
  let size: ReturnType<typeof imageSize>;
  try {
    size = imageSize(bytes);
  } catch {
    throw badRequest('IMAGE_PROCESS_FAILED');
  }
  const { width, height, type = '' } = size;
  if (!['png', 'jpg', 'gif', 'webp'].includes(type)) throw badRequest('IMAGE_PROCESS_FAILED');
  if (width + height > 10_000 || Math.max(width, height) > 20 * Math.min(width, height)) {
    throw badRequest('PHOTO_INVALID_DIMENSIONS');
  }
  return { width, height, type };
};
