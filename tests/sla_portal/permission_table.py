"""The answers of every address, by method and person.

One answer in a row is everybody's; "in" is the way to the login and from there back.
"""

PEOPLE = ("anonymous", "reporter", "owner", "agent", "manager", "admin", "stranger", "both", "former")
"""All of MAK but: `stranger` owns TUR, `both` owns TUR and reports for MAK, `former` has left MAK yesterday."""

#                             ano rep own agt mgr adm str bot for
TABLE = """
healthz                GET    200
healthz                POST   200
readyz                 GET    200
readyz                 POST   405
health                 GET    200
health                 POST   200
login                  GET    200 302 302 302 302 302 302 302 302
login                  POST   200 302 302 302 302 302 302 302 302
logout                 GET    405
logout                 POST   302
sign-in-letter         GET    200
sign-in-letter         POST   302
sign-in-by-letter      GET    404
sign-in-by-letter      POST   404
password_reset         GET    200
password_reset         POST   302
password_reset_done    GET    200
password_reset_done    POST   405
password_reset_confirm GET    200
password_reset_confirm POST   200
password_change        GET    in  200 200 200 200 200 200 200 200
password_change        POST   in  302 302 302 302 302 302 302 302
invitation             GET    404
invitation             POST   404
account                GET    in  200 200 200 200 200 200 200 200
account                POST   in  302 302 302 302 302 302 302 302
account-token-end      GET    405
account-token-end      POST   in  404 404 404 404 404 404 404 404
choose_language        GET    405
choose_language        POST   302
choose_theme           GET    405
choose_theme           POST   302
choose_client          GET    405
choose_client          POST   in  404 404 404 404 404 404 404 404
users                  GET    in  404 404 404 404 200 404 404 404
users                  POST   in  404 404 404 404 302 404 404 404
user                   GET    in  404 404 404 404 200 404 404 404
user                   POST   in  404 404 404 404 302 404 404 404
user-rights            GET    405
user-rights            POST   in  404 404 404 404 302 404 404 404
user-off               GET    in  404 404 404 404 200 404 404 404
user-off               POST   in  404 404 404 404 302 404 404 404
user-on                GET    405
user-on                POST   in  404 404 404 404 302 404 404 404
user-letter            GET    405
user-letter            POST   in  404 404 404 404 302 404 404 404
accessibility          GET    200
accessibility          POST   200
manifest               GET    200
manifest               POST   200
contracts              GET    in  404 200 404 200 404 200 200 404
contracts              POST   405
contract               GET    in  404 200 404 200 404 404 404 404
contract               POST   405
contract-before        GET    in  404 301 404 301 404 404 404 404
contract-before        POST   405
contract-new           GET    in  404 404 404 200 404 404 404 404
contract-new           POST   in  404 404 404 200 404 404 404 404
contract-preview       GET    405
contract-preview       POST   in  404 404 404 200 404 404 404 404
contract-version-new   GET    in  404 404 404 200 404 404 404 404
contract-version-new   POST   in  404 404 404 422 404 404 404 404
contract-version-new-before GET in 404 404 404 301 404 404 404 404
contract-version-new-before POST in 404 404 404 308 404 404 404 404
calendars              GET    in  404 404 404 200 200 404 404 404
calendars              POST   in  404 404 404 302 302 404 404 404
calendar               GET    in  404 404 404 200 200 404 404 404
calendar               POST   in  404 404 404 302 302 404 404 404
calendar-day-remove    GET    405
calendar-day-remove    POST   in  404 404 404 302 302 404 404 404
settings-clients       GET    in  404 404 404 200 200 404 404 404
settings-clients       POST   in  404 404 404 302 302 404 404 404
settings-client        GET    in  404 404 404 200 200 404 404 404
settings-client        POST   in  404 404 404 302 302 404 404 404
settings-contact       GET    in  404 404 404 200 200 404 404 404
settings-contact       POST   in  404 404 404 302 302 404 404 404
settings-shop          GET    in  404 404 404 200 200 404 404 404
settings-shop          POST   in  404 404 404 302 302 404 404 404
settings-shop-close    GET    405
settings-shop-close    POST   in  404 404 404 302 302 404 404 404
settings-shop-open     GET    405
settings-shop-open     POST   in  404 404 404 302 302 404 404 404
report                 GET    in  200 200 404 404 404 200 200 404
report                 POST   in  302 302 404 404 404 302 302 404
report-shop            GET    in  200 200 404 404 404 404 200 404
report-shop            POST   in  302 302 404 404 404 404 302 404
queue                  GET    in  404 404 200 200 404 404 404 404
queue                  POST   405
queue-live             GET    in  404 404 200 200 404 404 404 404
queue-live             POST   405
unheard                GET    in  404 404 200 200 200 404 404 404
unheard                POST   405
incident-new           GET    in  404 404 200 200 404 404 404 404
incident-new           POST   in  404 404 200 200 404 404 404 404
incidents              GET    in  200 200 200 200 404 200 200 404
incidents              POST   405
incident               GET    in  200 200 200 200 404 404 200 404
incident               POST   405
incident-receipt       GET    in  200 200 404 404 404 404 200 404
incident-receipt       POST   405
incident-why           GET    in  200 200 200 200 404 404 200 404
incident-why           POST   405
incident-journal       GET    in  200 200 200 200 404 404 200 404
incident-journal       POST   405
incident-anchor        GET    in  200 200 200 200 404 404 200 404
incident-anchor        POST   405
incident-answer        GET    in  200 200 404 404 404 404 200 404
incident-answer        POST   in  302 302 404 404 404 404 302 404
incident-accept        GET    in  200 200 404 404 404 404 200 404
incident-accept        POST   in  302 302 404 404 404 404 302 404
incident-reject        GET    in  200 200 404 404 404 404 200 404
incident-reject        POST   in  302 302 404 404 404 404 302 404
incident-contest       GET    in  200 200 404 404 404 404 200 404
incident-contest       POST   in  302 302 404 404 404 404 302 404
incident-manager       GET    in  200 200 404 404 404 404 200 404
incident-manager       POST   in  302 302 404 404 404 404 302 404
incident-cancel        GET    in  200 200 404 404 404 404 200 404
incident-cancel        POST   in  302 302 404 404 404 404 302 404
incident-details       GET    in  200 200 404 404 404 404 200 404
incident-details       POST   in  302 302 404 404 404 404 302 404
incident-react         GET    in  404 404 200 200 404 404 404 404
incident-react         POST   in  404 404 302 302 404 404 404 404
incident-start-work    GET    in  404 404 200 200 404 404 404 404
incident-start-work    POST   in  404 404 422 422 404 404 404 404
incident-say           GET    in  404 404 200 200 404 404 404 404
incident-say           POST   in  404 404 302 302 404 404 404 404
incident-call          GET    in  404 404 200 200 404 404 404 404
incident-call          POST   in  404 404 302 302 404 404 404 404
incident-note          GET    in  404 404 200 200 404 404 404 404
incident-note          POST   in  404 404 302 302 404 404 404 404
incident-pause         GET    in  404 404 200 200 404 404 404 404
incident-pause         POST   in  404 404 302 302 404 404 404 404
incident-resume        GET    in  404 404 200 200 404 404 404 404
incident-resume        POST   in  404 404 302 302 404 404 404 404
incident-backup        GET    in  404 404 200 200 404 404 404 404
incident-backup        POST   in  404 404 302 302 404 404 404 404
incident-workaround    GET    in  404 404 200 200 404 404 404 404
incident-workaround    POST   in  404 404 302 302 404 404 404 404
incident-resolve       GET    in  404 404 200 200 404 404 404 404
incident-resolve       POST   in  404 404 302 302 404 404 404 404
incident-take-time     GET    in  404 404 200 200 404 404 404 404
incident-take-time     POST   in  404 404 422 422 404 404 404 404
incident-not-working   GET    in  404 404 200 200 404 404 404 404
incident-not-working   POST   in  404 404 422 422 404 404 404 404
incident-severity      GET    in  404 404 200 200 404 404 404 404
incident-severity      POST   in  404 404 302 302 404 404 404 404
incident-agree-withdrawal GET in 404 404 200 200 404 404 404 404
incident-agree-withdrawal POST in 404 404 422 422 404 404 404 404
incident-assign        GET    in  404 404 200 200 404 404 404 404
incident-assign        POST   in  404 404 422 422 404 404 404 404
shops                  GET    in  200 200 200 404 404 200 200 404
shops                  POST   405
shop                   GET    in  200 200 200 200 404 404 200 404
shop                   POST   405
availability-account   GET    in  200 200 200 200 404 404 200 404
availability-account   POST   405
availability           GET    in  404 404 404 200 404 404 404 404
availability           POST   405
availability-month     GET    in  404 404 404 200 404 404 404 404
availability-month     POST   405
monitor                GET    in  404 404 200 200 404 404 404 404
monitor                POST   405
planned-work-new       GET    in  404 404 200 200 404 404 404 404
planned-work-new       POST   in  404 404 302 302 404 404 404 404
planned-work-off       GET    405
planned-work-off       POST   in  404 404 302 302 404 404 404 404
monitor-new            GET    in  404 404 403 200 404 404 404 404
monitor-new            POST   in  404 404 403 302 404 404 404 404
monitor-edit           GET    in  404 404 403 200 404 404 404 404
monitor-edit           POST   in  404 404 403 302 404 404 404 404
monitor-check          GET    405
monitor-check          POST   in  404 404 302 302 404 404 404 404
monitor-watch          GET    405
monitor-watch          POST   in  404 404 302 302 404 404 404 404
home                   GET    in  200 200 302 302 302 200 200 200
home                   POST   405
settings-channels      GET    in  404 404 404 404 200 404 404 404
settings-channels      POST   405
settings-channel-trial GET    405
settings-channel-trial POST   in  404 404 404 404 302 404 404 404
settings-health        GET    in  404 404 404 404 200 404 404 404
settings-health        POST   405
settings-health-proof  GET    405
settings-health-proof  POST   in  404 404 404 404 302 404 404 404
settings-health-again  GET    405
settings-health-again  POST   in  404 404 404 404 302 404 404 404
breaches               GET    in  404 404 404 200 404 404 404 404
breaches               POST   405
breach                 GET    in  404 404 404 200 404 404 404 404
breach                 POST   405
breach-confirm         GET    405
breach-confirm         POST   in  404 404 404 302 404 404 404 404
breach-exclude         GET    in  404 404 404 200 404 404 404 404
breach-exclude         POST   in  404 404 404 302 404 404 404 404
breach-second          GET    405
breach-second          POST   in  404 404 404 302 404 404 404 404
breach-take-back       GET    in  404 404 404 200 404 404 404 404
breach-take-back       POST   in  404 404 404 302 404 404 404 404
api-token              GET    405
api-token              POST   400
api-token-end          GET    401 405 405 405 405 405 405 405 405
api-token-end          POST   401 405 405 405 405 405 405 405 405
api-token-end          DELETE 401 204 204 204 204 204 204 204 204
api-incidents          GET    401 200 200 200 200 404 200 200 404
api-incidents          POST   401 201 201 403 403 404 400 201 404
api-incident           GET    401 200 200 200 200 404 404 200 404
api-incident           POST   401 405 405 405 405 405 405 405 405
api-journal            GET    401 200 200 200 200 404 404 200 404
api-journal            POST   401 405 405 405 405 405 405 405 405
api-anchor             GET    401 200 200 200 200 404 404 200 404
api-anchor             POST   401 405 405 405 405 405 405 405 405
api-answer             GET    401 405 405 405 405 405 405 405 405
api-answer             POST   401 200 200 403 403 404 404 200 404
api-accept             GET    401 405 405 405 405 405 405 405 405
api-accept             POST   401 200 200 403 403 404 404 200 404
api-reject             GET    401 405 405 405 405 405 405 405 405
api-reject             POST   401 200 200 403 403 404 404 200 404
api-contest            GET    401 405 405 405 405 405 405 405 405
api-contest            POST   401 200 200 403 403 404 404 200 404
api-cancel             GET    401 405 405 405 405 405 405 405 405
api-cancel             POST   401 200 200 403 403 404 404 200 404
api-manager            GET    401 405 405 405 405 405 405 405 405
api-manager            POST   401 200 200 403 403 404 404 200 404
api-details            GET    401 405 405 405 405 405 405 405 405
api-details            POST   401 200 200 403 403 404 404 200 404
api-react              GET    401 405 405 405 405 405 405 405 405
api-react              POST   401 403 403 200 200 404 404 403 404
api-start-work         GET    401 405 405 405 405 405 405 405 405
api-start-work         POST   401 403 403 409 409 404 404 403 404
api-say                GET    401 405 405 405 405 405 405 405 405
api-say                POST   401 403 403 200 200 404 404 403 404
api-call               GET    401 405 405 405 405 405 405 405 405
api-call               POST   401 403 403 200 200 404 404 403 404
api-note               GET    401 405 405 405 405 405 405 405 405
api-note               POST   401 403 403 200 200 404 404 403 404
api-pause              GET    401 405 405 405 405 405 405 405 405
api-pause              POST   401 403 403 200 200 404 404 403 404
api-resume             GET    401 405 405 405 405 405 405 405 405
api-resume             POST   401 403 403 200 200 404 404 403 404
api-backup             GET    401 405 405 405 405 405 405 405 405
api-backup             POST   401 403 403 200 200 404 404 403 404
api-skip-backup        GET    401 405 405 405 405 405 405 405 405
api-skip-backup        POST   401 403 403 200 200 404 404 403 404
api-workaround         GET    401 405 405 405 405 405 405 405 405
api-workaround         POST   401 403 403 200 200 404 404 403 404
api-resolve            GET    401 405 405 405 405 405 405 405 405
api-resolve            POST   401 403 403 200 200 404 404 403 404
api-agree-withdrawal   GET    401 405 405 405 405 405 405 405 405
api-agree-withdrawal   POST   401 403 403 409 409 404 404 403 404
api-take-time          GET    401 405 405 405 405 405 405 405 405
api-take-time          POST   401 403 403 409 409 404 404 403 404
api-not-working        GET    401 405 405 405 405 405 405 405 405
api-not-working        POST   401 403 403 409 409 404 404 403 404
api-severity           GET    401 405 405 405 405 405 405 405 405
api-severity           POST   401 403 403 200 200 404 404 403 404
api-assign             GET    401 405 405 405 405 405 405 405 405
api-assign             POST   401 403 403 200 200 404 404 403 404
api-schema             GET    200
api-schema             POST   405
api-docs               GET    200
api-docs               POST   405
"""
