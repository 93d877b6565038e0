"""Every address of the office."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from central.accounts.views import LoginView, PasswordView
from central.alarms import views as alarms
from central.bookings import admin as bookings  # noqa: F401  so that the site knows its pages
from central.capacity import views as capacity
from central.drills import views as drills
from central.duty import admin as duty_admin  # noqa: F401  so that the site knows its pages
from central.duty import views as duty
from central.entries import cards
from central.entries import views as entries
from central.holders import admin, command_admin, order_admin  # noqa: F401  so that the site knows their pages
from central.holders import views as holders
from central.holders.site import office_admin
from central.registry import views as registry
from central.visitors import admin as visitor_admin  # noqa: F401  so that the site knows its pages
from central.visitors import public
from central.visitors import views as visitors

urlpatterns = [
    path("admin/logout/", LogoutView.as_view()),  # as the office has them
    path("admin/password_change/", RedirectView.as_view(pattern_name="password")),
    path("admin/import/", office_admin.admin_view(holders.choose), name="import"),
    path("admin/import/<int:draft_id>/", office_admin.admin_view(holders.preview), name="import-preview"),
    path("admin/", office_admin.urls),
    path("", RedirectView.as_view(pattern_name="entries")),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", PasswordView.as_view(), name="password"),
    path("language/", login_not_required(set_language), name="set_language"),
    path("entries/", entries.listing, name="entries"),
    path("entries/rows/", entries.ROWS.view, name=entries.ROWS.name),
    path("cards/", cards.listing, name="cards"),
    path("cards/rows/", cards.ROWS.view, name=cards.ROWS.name),
    path("alarms/", alarms.listing, name="alarms"),
    path("alarms/bar/", alarms.BAR.view, name=alarms.BAR.name),
    path("alarms/open/", alarms.OPEN.view, name=alarms.OPEN.name),
    path("alarms/acknowledge/", alarms.acknowledge, name="acknowledge"),
    path("alarms/<slug:alarm_id>/", alarms.detail, name="alarm"),
    path("alarms/<slug:alarm_id>/tell/", alarms.tell, name="alarm-tell"),
    path("alarms/<slug:alarm_id>/note/", alarms.note, name="alarm-note"),
    path("duty/", duty.roster, name="duty"),
    path("duty/page/", duty.PAGE.view, name=duty.PAGE.name),
    path("drills/", drills.listing, name="drills"),
    path("drills/plan/", drills.plan, name="drill-plan"),
    path("drills/begun/<int:stage_id>/", drills.begun_at_gate, name="drill-begun-there"),
    path("drills/begun/<int:stage_id>/timeline/", drills.BEGUN_THERE.view, name=drills.BEGUN_THERE.name),
    path("drills/<int:drill_id>/", drills.detail, name="drill"),
    path("drills/<int:drill_id>/timeline/", drills.TIMELINE.view, name=drills.TIMELINE.name),
    path("drills/<int:drill_id>/begin/", drills.begin, name="drill-begin"),
    path("drills/<int:drill_id>/stamp/", drills.stamp, name="drill-stamp"),
    path("drills/<int:drill_id>/end/", drills.end, name="drill-end"),
    path("drills/<int:drill_id>/forget/", drills.forget, name="drill-forget"),
    path("drills/<int:drill_id>/report/", drills.report, name="drill-report"),
    path("v/<str:token>/", public.register, name="register"),
    path("v/pass/<str:token>/", public.registered, name="registered"),
    path("v/pass/<str:token>/part/", public.registered_part, name="registered-part"),
    path("visitors/", visitors.listing, name="visitors"),
    path("visitors/waiting/", visitors.WAITING_PART.view, name=visitors.WAITING_PART.name),
    path("visitors/decide/", visitors.decide, name="decide-visitor"),
    path("visitors/sign/<slug:gate_id>/", visitors.sign, name="visitor-sign"),
    path("visitors/sign/<slug:gate_id>/renew/", visitors.renew_sign, name="renew-visitor-sign"),
    path("inside/", capacity.listing, name="inside"),
    path("inside/sites/", capacity.SITES.view, name=capacity.SITES.name),
    path("gates/", registry.listing, name="gates"),
    path("gates/cards/", registry.GATES.view, name=registry.GATES.name),
    path("gates/<slug:gate_id>/devices/", registry.devices, name="gate-devices"),
    path("gates/<slug:gate_id>/devices/rows/", registry.DEVICES.view, name=registry.DEVICES.name),
    path("gates/<slug:gate_id>/admit/", registry.admit, name="admit"),
]
