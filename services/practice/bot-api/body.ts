import type { FastifyRequest } from 'fastify';
import { limits } from '../state/model.ts';
import type { Upload } from './method.ts';

/** Parameters of a call from wherever it put them: query, JSON, form, or multipart with files. */
export type CallBody = { params: Record<string, unknown>; uploads: Map<string, Upload> };

const readParts = async (request: FastifyRequest): Promise<CallBody> => {
  const params: Record<string, unknown> = {};
  const uploads = new Map<string, Upload>();
  for await (const part of request.parts({ limits: { fileSize: limits.fileBytes } })) {
    if (part.type === 'field') {
      params[part.fieldname] = part.value;
      continue;
    }
    const bytes = await part.toBuffer();
    uploads.set(part.fieldname, { name: part.filename || 'file', mimeType: part.mimetype, bytes });
    params[part.fieldname] ??= `attach://${part.fieldname}`;
  }
  return { params, uploads };
};

export const readCallBody = async (request: FastifyRequest): Promise<CallBody> => {
  const query = request.query as Record<string, unknown>;
  if (request.isMultipart()) {
    const { params, uploads } = await readParts(request);
    return { params: { ...query, ...params }, uploads };
  }
  const body = request.body as Record<string, unknown> | undefined;
  return { params: { ...query, ...body }, uploads: new Map() };
};
