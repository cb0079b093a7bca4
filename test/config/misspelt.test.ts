import t from 'tap'
import { misspeltVariables, noting } from '../../src/config/misspelt.js'
import { OPTIONS, readConfig } from '../../src/config/service.js'

const KNOWN = new Set(OPTIONS.map(({ env }) => env))

t.test('a misspelt name is told with the one that was meant', async t => {
  for (const [name, meant] of [
    ['TARGET_URL', 'TARGET_BASE_URL'],
    ['CROPPER_MODLE', 'CROPPER_MODEL'],
    ['ZOOM_MAXIMAGES', 'ZOOM_MAX_IMAGES'],
    ['TARGET_BASEURL', 'TARGET_BASE_URL'],
    ['TARGET_KEY', 'TARGET_API_KEY'],
    ['TARGET_TIMEOUT', 'TARGET_TIMEOUT_MS'],
    ['CROPPER_URL', 'CROPPER_BASE_URL'],
    ['LOCAL_MODEL', 'LOCAL_TARGET_MODEL'],
    ['ENGINE_PROCESS', 'ENGINE_PROCESSES'],
    ['MAX_BODYBYTES', 'MAX_BODY_BYTES'],
    ['API_KEYS', 'API_KEY'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['EXECUTION_PROVIDERS', 'EXECUTION_PROVIDER'],
  ] as const)
    t.same(misspeltVariables({ [name]: 'x' }, KNOWN), [`${name} is set, but nothing reads it; did you mean ${meant}?`])
})

/** Names that systems, shells, containers, CI and other programs set. */
const OTHERS = `PATH HOME USER SHELL PWD OLDPWD LANG LC_ALL TERM COLUMNS LINES HOSTNAME HOSTTYPE LOGNAME MAIL DISPLAY EDITOR
PAGER TMPDIR TZ SHLVL COLORTERM NO_COLOR FORCE_COLOR DEBUG VERBOSE CI GITHUB_TOKEN GITHUB_ACTIONS GITLAB_CI RUNNER_OS BUILD_ID
NODE_ENV NODE_OPTIONS NODE_PATH NVM_DIR NPM_CONFIG_CACHE npm_package_name npm_config_port INIT_CWD VIRTUAL_ENV PYTHONPATH
CONDA_PREFIX CUDA_HOME CUDA_VISIBLE_DEVICES LD_LIBRARY_PATH OMP_NUM_THREADS MKL_NUM_THREADS TOKENIZERS_PARALLELISM
HF_HOME HF_TOKEN HF_HUB_OFFLINE HF_ENDPOINT OPENAI_API_KEY OPENAI_BASE_URL ANTHROPIC_API_KEY GEMINI_API_KEY X_API_KEY
HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY SSL_CERT_FILE NODE_EXTRA_CA_CERTS AWS_REGION AWS_PROFILE KUBERNETES_PORT
KUBERNETES_SERVICE_HOST CROPPER_SERVICE_HOST CROPPER_SERVICE_PORT CROPPER_PORT CROPPER_PORT_8080_TCP_ADDR TARGET_PORT
TARGET_SERVICE_HOST ZOOM_PORT ZOOM_SERVICE_PORT ZOOM_API_SECRET TARGET_ARCH TARGET_CC TARGET_OS TARGET_BRANCH TARGETARCH
TARGETPLATFORM IMAGE_NAME IMAGE_TAG LOCAL_IP LOCAL_RANK GLOG_LEVEL RUST_LOG LOG_FILE LOG_FORMAT PORTS HOSTS THREAD TARGET
QUEUE_URL BATCH_ID MAX_JOBS MAX_MEMORY MODEL_PATH MODEL_NAME REQUEST_ID PROXY_HOST PROXY_URL SYSTEMD_EXEC_PID
OTEL_SERVICE_NAME OTEL_RESOURCE_ATTRIBUTES DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR SSH_AUTH_SOCK`

t.test('variables of others are no misspelt ones', async t => {
  const env = Object.fromEntries(OTHERS.split(/\s+/).map(name => [name, 'x']))
  t.same(misspeltVariables(env, KNOWN), [])
  t.same(
    misspeltVariables({ TARGET_URL: ' ', target_url: 'x' }, KNOWN),
    [],
    'nor is a blank one, or one in small letters',
  )
})

t.test('what the configuration reads is known, whatever it is called', async t => {
  const names = new Set(KNOWN)
  const env = {
    TARGET_API_KEY2: 'secret',
    TARGETS: '[{"name": "a", "base_url": "http://a/v1", "model": "m", "api_key_env": "TARGET_API_KEY2"}]',
  }
  t.same(misspeltVariables(env, names), ['TARGET_API_KEY2 is set, but nothing reads it; did you mean TARGET_API_KEY?'])
  readConfig(noting(env, names))
  t.same(misspeltVariables(env, names), [])
})
