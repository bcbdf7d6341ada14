"""The addresses of the API below /api/v1/ that are about sessions."""

from django.urls import path

from sessions_app.api import (
    budgets,
    catalogue,
    egress,
    files,
    logs,
    permissions,
    prompts,
    sessions,
    terminals,
    usage,
)

urlpatterns = [
    path("agents/", catalogue.AgentListView.as_view()),
    path("budgets/", budgets.BudgetListView.as_view()),
    path("budgets/<uuid:id>/", budgets.BudgetView.as_view()),
    path("usage/", usage.UsageView.as_view()),
    path("sessions/", sessions.SessionListView.as_view()),
    path("sessions/<uuid:id>/", sessions.SessionView.as_view()),
    path("sessions/<uuid:id>/restore/", sessions.SessionRestoreView.as_view()),
    path("sessions/<uuid:id>/start/", sessions.SessionStartView.as_view()),
    path("sessions/<uuid:id>/stop/", sessions.SessionStopView.as_view()),
    path("sessions/<uuid:id>/keep/", sessions.SessionKeepView.as_view()),
    path("sessions/<uuid:id>/interrupt/", sessions.SessionInterruptView.as_view()),
    path("sessions/<uuid:id>/usage/", usage.SessionUsageView.as_view()),
    path("sessions/<uuid:id>/prompts/", prompts.PromptListView.as_view()),
    path("sessions/<uuid:id>/prompts/<uuid:prompt_id>/", prompts.PromptView.as_view()),
    path("sessions/<uuid:id>/events/", logs.EventListView.as_view()),
    path("sessions/<uuid:id>/conversation/", logs.ConversationView.as_view()),
    path("sessions/<uuid:id>/conversation/export/", logs.ConversationExportView.as_view()),
    path("sessions/<uuid:id>/files/", files.FileListView.as_view()),
    path("sessions/<uuid:id>/files/content/", files.FileContentView.as_view()),
    path("sessions/<uuid:id>/terminals/", terminals.TerminalListView.as_view()),
    path("sessions/<uuid:id>/terminals/<uuid:terminal_id>/", terminals.TerminalView.as_view()),
    path("sessions/<uuid:id>/terminals/<uuid:terminal_id>/transcript/", terminals.TranscriptView.as_view()),
    path("sessions/<uuid:id>/egress/", egress.SessionEgressView.as_view()),
    path("egress/bounds/", egress.EgressBoundsView.as_view()),
    path("egress/rules/", egress.EgressRuleListView.as_view()),
    path("egress/rules/<uuid:id>/", egress.EgressRuleView.as_view()),
    path("permissions/", permissions.PermissionListView.as_view()),
    path("permissions/<uuid:id>/answer/", permissions.PermissionAnswerView.as_view()),
]
