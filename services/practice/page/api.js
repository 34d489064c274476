/** Calls of the control API. A refusal becomes an Error with the server's words. */

const call = async (method, path, body) => {
  const isForm = body instanceof FormData;
  const response = await fetch(path, {
    method,
    body: body === undefined || isForm ? body : JSON.stringify(body),
    headers: body === undefined || isForm ? {} : { 'content-type': 'application/json' },
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.description ?? `The server answered ${response.status}.`);
  return answer;
};

const chat = (chatId) => `/practice/chats/${chatId}`;

export const write = (chatId, body) => call('POST', `${chat(chatId)}/messages`, body);
export const edit = (chatId, id, body) => call('PUT', `${chat(chatId)}/messages/${id}`, body);
export const press = (chatId, id, body) => call('POST', `${chat(chatId)}/messages/${id}/press`, body);
export const clearHistory = (chatId) => call('DELETE', `${chat(chatId)}/history`);
export const commandsFor = (chatId, person) => call('GET', `${chat(chatId)}/commands?person=${person}`);
export const setBlocked = (person, blocked) => call('POST', `/practice/people/${person}/block`, { blocked });
export const addPerson = (firstName) => call('POST', '/practice/people', { firstName });

export const sendFile = (chatId, from, file, caption) => {
  const form = new FormData();
  const isPhoto = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'].includes(file.type);
  form.set('kind', isPhoto ? 'photo' : 'document');
  form.set('from', from);
  form.set('caption', caption);
  form.set('file', file, file.name);
  return call('POST', `${chat(chatId)}/files`, form);
};
