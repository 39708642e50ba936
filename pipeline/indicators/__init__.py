"""What is measured: each indicator is a function of a window, with its words beside it.

registry   Indicator, @indicator, INDICATORS; window and measure are what the functions take and give
uptake, engagement, context, feeds   the families
evaluate   the complete grid of one period: compute, statuses, release
"""

from pipeline.indicators import context, engagement, feeds, uptake
from pipeline.indicators import engagement_answers as engagement_answers
from pipeline.indicators import engagement_breadth as engagement_breadth
from pipeline.indicators import engagement_depth as engagement_depth
from pipeline.indicators import engagement_effort as engagement_effort
from pipeline.indicators import engagement_giving as engagement_giving
from pipeline.indicators import engagement_views as engagement_views
from pipeline.indicators import feeds_plausible as feeds_plausible
from pipeline.indicators import feeds_receipt as feeds_receipt
from pipeline.indicators import uptake_channels as uptake_channels
from pipeline.indicators import uptake_cohorts as uptake_cohorts
from pipeline.indicators import uptake_flow as uptake_flow
from pipeline.indicators import uptake_habit as uptake_habit
from pipeline.indicators import uptake_reach as uptake_reach
from pipeline.indicators import uptake_return as uptake_return
from pipeline.indicators import uptake_surveys as uptake_surveys
from pipeline.indicators import uptake_tasks as uptake_tasks
from pipeline.indicators.registry import INDICATORS, Indicator

__all__ = ["INDICATORS", "Indicator", "context", "engagement", "feeds", "uptake"]
