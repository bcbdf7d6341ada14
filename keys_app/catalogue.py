"""The catalogue of model providers and git hosts, as data: to add one, add an entry and its golden test."""

from __future__ import annotations

from keys_app.provider import Model, Provider

DEMO = Provider(
    id="demo",
    name="Demo (scripted, no key needed)",
    wire="openai-chat",
    # The sidecar starts the scripted model itself, so there is nowhere to send anything.
    default_base_url="",
    models=(Model("demo", "Scripted demo"),),
    needs_key=False,
)

ENTRIES = (
    DEMO,
    Provider(
        id="anthropic",
        name="Anthropic",
        wire="anthropic",
        default_base_url="https://api.anthropic.com/v1",
        key_prefixes=("sk-ant-",),
        key_page="https://platform.claude.com/settings/keys",
        models=(
            Model("claude-opus-5-5", "Claude Opus 5.5"),
            Model("claude-fable-5-1", "Claude Fable 5.1"),
            Model("claude-sonnet-5", "Claude Sonnet 5"),
            Model("claude-haiku-4-5", "Claude Haiku 4.5"),
        ),
    ),
    Provider(
        id="openai",
        name="OpenAI",
        wire="openai-responses",
        default_base_url="https://api.openai.com/v1",
        key_prefixes=("sk-",),
        key_page="https://platform.openai.com/api-keys",
        models=(
            Model("gpt-6-sol", "GPT-6 Sol"),
            Model("gpt-6-astra", "GPT-6 Astra"),
            Model("gpt-6-luna", "GPT-6 Luna"),
            Model("gpt-5.6", "GPT-5.6"),
        ),
    ),
    Provider(
        id="google",
        name="Google Gemini",
        wire="google",
        default_base_url="https://generativelanguage.googleapis.com/v1beta",
        key_prefixes=("AQ.", "AIza"),
        key_page="https://aistudio.google.com/apikey",
        models=(
            Model("gemini-3.8-flash", "Gemini 3.8 Flash"),
            Model("gemini-3.1-pro-preview", "Gemini 3.1 Pro (preview)"),
            Model("gemini-3.5-flash-lite", "Gemini 3.5 Flash Lite"),
            Model("gemini-2.5-pro", "Gemini 2.5 Pro"),
        ),
    ),
    Provider(
        id="openrouter",
        name="OpenRouter",
        wire="openai-chat",
        default_base_url="https://openrouter.ai/api/v1",
        key_prefixes=("sk-or-",),
        key_page="https://openrouter.ai/settings/keys",
        # Its list of models is public and would accept any key.
        check_path="key",
        models=(
            Model("anthropic/claude-opus-5.5", "Claude Opus 5.5"),
            Model("openai/gpt-6-sol", "GPT-6 Sol"),
            Model("x-ai/grok-4.7", "Grok 4.7"),
            Model("z-ai/glm-5.3-prime", "GLM 5.3 Prime"),
            Model("qwen/qwen3.8-max-prime", "Qwen 3.8 Max Prime"),
        ),
    ),
    Provider(
        id="groq",
        name="Groq",
        wire="openai-chat",
        default_base_url="https://api.groq.com/openai/v1",
        key_prefixes=("gsk_",),
        key_page="https://console.groq.com/keys",
        models=(
            Model("qwen/qwen3.8-27b", "Qwen3.8 27B"),
            Model("openai/gpt-oss-120b", "GPT OSS 120B"),
            Model("openai/gpt-oss-20b", "GPT OSS 20B"),
        ),
    ),
    Provider(
        id="deepseek",
        name="DeepSeek",
        wire="openai-chat",
        default_base_url="https://api.deepseek.com/v1",
        key_prefixes=("sk-",),
        key_page="https://platform.deepseek.com/api_keys",
        models=(Model("deepseek-v4-pro", "DeepSeek V4 Pro"), Model("deepseek-flash", "DeepSeek Flash")),
    ),
    Provider(
        id="mistral",
        name="Mistral",
        wire="openai-chat",
        default_base_url="https://api.mistral.ai/v1",
        key_page="https://console.mistral.ai/api-keys",
        models=(
            Model("mistral-medium-latest", "Mistral Medium"),
            Model("mistral-small-latest", "Mistral Small"),
            Model("mistral-large-latest", "Mistral Large"),
            Model("codestral-latest", "Codestral"),
        ),
    ),
    Provider(
        id="xai",
        name="xAI",
        wire="openai-chat",
        default_base_url="https://api.x.ai/v1",
        key_prefixes=("xai-",),
        key_page="https://console.x.ai",
        models=(Model("grok-4.7", "Grok 4.7"), Model("grok-build-0.1", "Grok Build 0.1")),
    ),
    Provider(
        id="copilot",
        name="GitHub Copilot",
        wire="openai-chat",
        default_base_url="https://api.githubcopilot.com",
        key_prefixes=("gho_", "ghu_", "github_pat_"),
        key_page="https://github.com/settings/copilot",
        note=(
            "GitHub does not document this API for other programs and may refuse them. Others have used it "
            "with the token that `gh auth token` prints, of an account with Copilot. Test the key to see "
            "whether yours works."
        ),
        models=(Model("gpt-5.6", "GPT-5.6"), Model("claude-sonnet-5", "Claude Sonnet 5")),
    ),
    Provider(
        id="claude-plan",
        name="Claude plan",
        wire="anthropic",
        default_base_url="https://api.anthropic.com/v1",
        key_prefixes=("sk-ant-oat",),
        key_page="https://code.claude.com/docs",
        check_path="",
        note=(
            "For Claude Code with a Pro, Max, Team or Enterprise plan: paste the token that `claude "
            "setup-token` prints. It stays outside of the box."
        ),
        login="claude",
        agents=("claude",),
        models=(
            Model("claude-opus-5-5", "Claude Opus 5.5"),
            Model("claude-sonnet-5", "Claude Sonnet 5"),
            Model("claude-haiku-4-5", "Claude Haiku 4.5"),
        ),
    ),
    Provider(
        id="chatgpt-plan",
        name="ChatGPT plan",
        wire="openai-responses",
        default_base_url="https://chatgpt.com/backend-api/codex",
        key_page="https://chatgpt.com/codex",
        check_path="",
        note=(
            "For Codex with a ChatGPT plan: run `codex login` on your own machine and paste the whole file "
            "~/.codex/auth.json. Only the access token and the account are kept, outside of the box. When "
            "OpenAI refuses it after some days, use Codex once and paste the file again."
        ),
        login="chatgpt",
        agents=("codex",),
        models=(
            Model("gpt-6-sol", "GPT-6 Sol"),
            Model("gpt-6-astra", "GPT-6 Astra"),
            Model("gpt-6-luna", "GPT-6 Luna"),
        ),
    ),
    Provider(
        id="copilot-login",
        name="GitHub Copilot's own login",
        wire="openai-chat",
        default_base_url="https://api.githubcopilot.com",
        key_prefixes=("gho_", "ghu_", "github_pat_"),
        key_page="https://github.com/settings/personal-access-tokens",
        check_path="",
        note=(
            "For GitHub Copilot CLI as GitHub means it to be used, with a token that has the permission "
            "Copilot Requests. Its sessions need the network: api.github.com and *.githubcopilot.com. What "
            "it uses is not counted here, so no session runs with it that has a budget of tokens or money."
        ),
        login="copilot",
        agents=("copilot",),
        models=(Model("gpt-5.6", "GPT-5.6"), Model("claude-sonnet-5", "Claude Sonnet 5")),
    ),
    Provider(
        id="azure",
        name="Azure OpenAI",
        wire="openai-responses",
        default_base_url="",
        key_header="api-key",
        key_page="https://portal.azure.com",
        address="required",
        address_example="https://RESOURCE.openai.azure.com/openai/v1",
        note="A model is the name of a deployment of your resource.",
        models=(),
    ),
    Provider(
        id="bedrock",
        name="Amazon Bedrock",
        wire="openai-chat",
        default_base_url="https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
        key_page="https://console.aws.amazon.com/bedrock/home#/api-keys",
        address="optional",
        address_example="https://bedrock-runtime.REGION.amazonaws.com/openai/v1",
        note="With a Bedrock API key (a bearer token); in us-east-1 unless you give another address.",
        models=(Model("openai.gpt-oss-120b", "GPT OSS 120B"), Model("openai.gpt-oss-20b", "GPT OSS 20B")),
    ),
    Provider(
        id="compatible",
        name="OpenAI-compatible endpoint",
        wire="openai-chat",
        default_base_url="",
        address="required",
        address_example="https://models.example.com/v1",
        note="Any endpoint on the internet that answers /chat/completions as OpenAI does.",
        models=(),
    ),
    Provider(
        id="github",
        name="GitHub",
        wire="git",
        default_base_url="https://api.github.com",
        key_prefixes=("ghp_", "github_pat_"),
        key_page="https://github.com/settings/personal-access-tokens",
        check_path="user",
        note=(
            "A token for git: sessions clone, fetch and push one repository with it and never see it. It "
            "needs to read and write the contents of your repositories, and nothing more."
        ),
        git_user="x-access-token",
        default_git_host="github.com",
        models=(),
    ),
    Provider(
        id="gitlab",
        name="GitLab",
        wire="git",
        default_base_url="https://gitlab.com/api/v4",
        key_prefixes=("glpat-",),
        key_page="https://gitlab.com/-/user_settings/personal_access_tokens",
        check_path="user",
        note=(
            "A token for git: sessions clone, fetch and push one repository with it and never see it. It "
            "needs the scopes read_repository and write_repository; with read_user it can be tested here."
        ),
        git_user="oauth2",
        default_git_host="gitlab.com",
        models=(),
    ),
    Provider(
        id="git",
        name="Another git host",
        wire="git",
        default_base_url="",
        check_path="",
        address="required",
        address_example="https://git.example.com",
        note=(
            "A token for git at the host with this address. An administrator has to name that host as well, "
            "among the git hosts of the egress bounds. The token is the password of a user called git: most "
            "hosts look at the token alone."
        ),
        git_user="git",
        models=(),
    ),
)
