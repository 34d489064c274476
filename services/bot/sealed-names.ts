/** Under which names a VM's secrets stand in the sealed store. */
export const passwordName = 'password';
/** A password on its way into the VM; it takes the other's place when it has arrived. */
export const newPasswordName = (operationId: string): string => `new-password:${operationId}`;
/** The text of a command of `/exec`, until its operation has ended and the chat has been told. */
export const execCommandName = (operationId: string): string => `exec:${operationId}`;
export const execOutputName = (operationId: string): string => `exec-output:${operationId}`;
/** A command that waits for somebody to say on which VM; sealed under each VM it could be for. */
export const execInputName = (inputId: string): string => `exec-input:${inputId}`;
/** Tickets belong to no VM: each is sealed under a name of its own, which goes as a whole. */
export const linkVaultId = (operationId: string): string => `link-${operationId}`;
export const ticketName = 'ticket';
/** A part of a job's payload that only its worker may read, for as long as its row of the outbox stands. */
export const jobFieldName = (jobId: string, field: string): string => `job:${jobId}:${field}`;
