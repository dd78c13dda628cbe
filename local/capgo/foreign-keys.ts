// References between Capgo's tables; PostgREST embeds rows along these.
export interface ForeignKey {
  name: string
  from: string
  column: string
  to: string
  target: string
}

export const foreignKeys: readonly ForeignKey[] = [
  { name: 'owner_org_id_fkey', from: 'apps', column: 'owner_org', to: 'orgs', target: 'id' },
  { name: 'app_versions_app_id_fkey', from: 'app_versions', column: 'app_id', to: 'apps', target: 'app_id' },
  { name: 'channels_app_id_fkey', from: 'channels', column: 'app_id', to: 'apps', target: 'app_id' },
  { name: 'channels_version_fkey', from: 'channels', column: 'version', to: 'app_versions', target: 'id' },
  {
    name: 'channels_rollout_version_fkey',
    from: 'channels',
    column: 'rollout_version',
    to: 'app_versions',
    target: 'id',
  },
  {
    name: 'channel_devices_channel_id_fkey',
    from: 'channel_devices',
    column: 'channel_id',
    to: 'channels',
    target: 'id',
  },
  {
    name: 'channel_devices_app_id_fkey',
    from: 'channel_devices',
    column: 'app_id',
    to: 'apps',
    target: 'app_id',
  },
  {
    name: 'manifest_app_version_id_fkey',
    from: 'manifest',
    column: 'app_version_id',
    to: 'app_versions',
    target: 'id',
  },
]
